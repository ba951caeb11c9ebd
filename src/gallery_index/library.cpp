#include "gallery_index/library.h"

#include "gallery_index/guarded.h"
#include "gallery_index/snapshot.h"

namespace visage::gallery_index {
namespace {

Status follow(std::unique_ptr<Index> index, Follower*& out) {
  return guarded("following a gallery",
                 [&] { out = std::make_unique<Follower>(std::move(index)).release(); });
}

Status create_index(Kind kind, const Settings& settings, std::span<const uint64_t> sample,
                    const std::function<bool()>& proceed, Follower*& out) {
  std::unique_ptr<Index> made;
  VISAGE_TRY(create(kind, settings, sample, proceed, made));
  return follow(std::move(made), out);
}

void destroy_index(Follower* follower) {
  delete follower;
}

Status save_index(Follower& follower, const keys::KeyRing& ring, crypto::Suite suite,
                  const gallery::Epoch& epoch, const char* path) {
  const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  if (engine == nullptr) return Status::error(Code::kInternal, "libcrypto lacks a suite");
  return save(follower.index(), *engine, ring, suite, epoch, path);
}

Status load_index(Kind kind, const Settings& settings, const keys::KeyRing& ring, const gallery::Epoch& epoch,
                  const char* path, Follower*& out) {
  const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  if (engine == nullptr) return Status::error(Code::kInternal, "libcrypto lacks a suite");
  std::unique_ptr<Index> read;
  VISAGE_TRY(load(kind, settings, *engine, ring, epoch, path, read));
  return follow(std::move(read), out);
}

}  // namespace

const Library& library() {
  static constexpr Library kLibrary = {kLibraryVersion, sizeof(Settings), warm_up,
                                       check,           expected_memory,  create_index,
                                       destroy_index,   save_index,       load_index};
  return kLibrary;
}

}  // namespace visage::gallery_index
