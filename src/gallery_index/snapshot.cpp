#include "gallery_index/snapshot.h"

#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <stdexcept>

#include "gallery_index/guarded.h"
#include "gallery_index/hnsw.h"
#include "gallery_index/ivf.h"

namespace visage::gallery_index {
namespace {

constexpr uint32_t kLibrary = FAISS_VERSION_MAJOR * 10000 + FAISS_VERSION_MINOR * 100 + FAISS_VERSION_PATCH;

// What goes wrong with the file is kept: FAISS only sees that fewer bytes came.
struct Sink final : faiss::IOWriter {
  explicit Sink(SnapshotWriter& to) : writer(to) {}
  size_t operator()(const void* from, size_t size, size_t count) override {
    if (status.ok()) status = writer.write({static_cast<const uint8_t*>(from), size * count});
    return status.ok() ? count : 0;
  }
  SnapshotWriter& writer;
  Status status;
};

struct Source final : faiss::IOReader {
  explicit Source(SnapshotReader& from) : reader(from) {}
  size_t operator()(void* to, size_t size, size_t count) override {
    if (status.ok()) status = reader.read({static_cast<uint8_t*>(to), size * count});
    return status.ok() ? count : 0;
  }
  SnapshotReader& reader;
  Status status;
};

std::unique_ptr<Index> adopt(Kind kind, const Settings& settings, std::unique_ptr<faiss::IndexBinary> read) {
  const auto as = [&]<typename T>(std::type_identity<T>) {
    auto* same = dynamic_cast<T*>(read.get());
    if (same == nullptr) throw std::runtime_error("another index");
    read.release();
    return std::unique_ptr<T>(same);
  };
  if (kind == Kind::kHnsw)
    return std::make_unique<Hnsw>(settings, as(std::type_identity<faiss::IndexBinaryHNSW>()));
  return std::make_unique<Ivf>(settings, as(std::type_identity<faiss::IndexBinaryIVF>()));
}

}  // namespace

Status save(const Index& index, crypto::Engine& engine, const keys::KeyRing& ring, crypto::Suite suite,
            const gallery::Epoch& epoch, const std::string& path) {
  SnapshotWriter writer(engine, ring, suite, epoch);
  VISAGE_TRY(writer.begin(path, {static_cast<uint8_t>(index.kind()), kLibrary, index.size()}));
  Sink sink(writer);
  const Status written = guarded("writing a gallery's index", [&] {
    if (index.kind() == Kind::kHnsw)
      faiss::write_index_binary(&static_cast<const Hnsw&>(index).faiss_index(), &sink);
    else
      faiss::write_index_binary(&static_cast<const Ivf&>(index).faiss_index(), &sink);
  });
  VISAGE_TRY(sink.status);
  VISAGE_TRY(written);
  return writer.finish();
}

Status load(Kind kind, const Settings& settings, crypto::Engine& engine, const keys::KeyRing& ring,
            const gallery::Epoch& epoch, const std::string& path, std::unique_ptr<Index>& out) {
  VISAGE_TRY(check(settings));
  SnapshotReader reader(engine, ring, epoch);
  SnapshotLabel label;
  VISAGE_TRY(reader.open(path, label));
  if (label.kind != static_cast<uint8_t>(kind) || label.library != kLibrary)
    return Status::error(Code::kUnsupported, "gallery snapshot of index kind %u, FAISS %u", label.kind,
                         label.library);
  if (label.codes > kMaxCodes) return Status::error(Code::kMalformed, "gallery snapshot of too many codes");
  Source source(reader);
  const Status status = guarded("reading a gallery's index", [&] {
    std::unique_ptr<faiss::IndexBinary> read(faiss::read_index_binary(&source));
    out = adopt(kind, settings, std::move(read));
  });
  VISAGE_TRY(source.status);
  if (status.ok() && (!reader.at_end() || out->size() != label.codes)) {
    out.reset();
    return Status::error(Code::kMalformed, "gallery snapshot holds something else than its header says");
  }
  if (!status.ok()) return Status::error(Code::kUnsupported, "gallery snapshot was made with other settings");
  return {};
}

}  // namespace visage::gallery_index
