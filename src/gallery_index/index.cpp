#include "gallery_index/index.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "gallery_index/base.h"
#include "gallery_index/guarded.h"
#include "gallery_index/hnsw.h"
#include "gallery_index/ivf.h"

namespace visage::gallery_index {
namespace {

using gallery::kCodeWords;

constexpr size_t kCodeBytes = kCodeWords * sizeof(uint64_t);
constexpr int kMaxThreads = 256;

}  // namespace

Status check(const Settings& settings) {
  const auto outside = [](const char* name, size_t value) {
    return Status::error(Code::kInvalidArgument, "%s of a gallery's index cannot be %zu", name, value);
  };
  if (settings.threads < 1 || settings.threads > kMaxThreads)
    return outside("threads", static_cast<size_t>(std::max(settings.threads, 0)));
  if (settings.links < 4 || settings.links > 256) return outside("links", settings.links);
  if (settings.beam_of_build < 8 || settings.beam_of_build > kMaxBeam)
    return outside("beam_of_build", settings.beam_of_build);
  if (settings.beam_of_search < 8 || settings.beam_of_search > kMaxBeam)
    return outside("beam_of_search", settings.beam_of_search);
  if (settings.lists > 1u << 20) return outside("lists", settings.lists);
  if (settings.probed_permille < 1 || settings.probed_permille > 1000)
    return outside("probed_permille", settings.probed_permille);
  return {};
}

uint32_t lists_for(const Settings& settings, size_t codes) {
  if (settings.lists != 0) return settings.lists;
  // As many lists as codes in a list: choosing among them and reading one cost the same.
  return std::clamp(static_cast<uint32_t>(std::sqrt(static_cast<double>(codes))), 1u, 65536u);
}

size_t expected_memory(Kind kind, const Settings& settings, size_t codes) {
  if (kind == Kind::kHnsw) {
    // Links of the lowest level, and one in `links` codes is on the next. Vectors grow by doubling.
    const size_t links = sizeof(int32_t) * (2 * settings.links + settings.links / (settings.links - 1) + 1);
    return codes * (2 * (kCodeBytes + links) + 32);
  }
  return codes * (2 * (kCodeBytes + sizeof(int64_t)) + 8) +
         size_t{lists_for(settings, codes)} * (kCodeBytes + 64);
}

size_t IndexBase::placed() const {
  return places_.size() - static_cast<size_t>(std::count(places_.begin(), places_.end(), kNoPlace));
}

Status IndexBase::change(const Settings& settings) {
  VISAGE_TRY(check(settings));
  settings_.threads = settings.threads;
  settings_.beam_of_search = settings.beam_of_search;
  settings_.probed_permille = settings.probed_permille;
  return {};
}

Status IndexBase::add(std::span<const uint64_t> codes, std::span<const uint32_t> places) {
  if (codes.size() != places.size() * kCodeWords)
    return Status::error(Code::kInvalidArgument, "codes and places of different number");
  if (places.size() > kMaxCodes - size())
    return Status::error(Code::kInvalidArgument, "an index of more than %zu codes", kMaxCodes);
  if (places.empty()) return {};
  return guarded("adding to a gallery's index", [&] {
    append(codes.data(), places.size());
    places_.insert(places_.end(), places.begin(), places.end());
  });
}

Status IndexBase::place(const std::function<uint32_t(size_t number, const uint64_t* code)>& place_of) {
  return guarded("placing the codes of a gallery's index", [&] {
    each_code([&](size_t number, const uint64_t* code) { places_[number] = place_of(number, code); });
  });
}

Status IndexBase::search(std::span<const uint64_t> probe, const Live& live, gallery::Nearest& out,
                         bool& overlooks) {
  overlooks = false;
  if (probe.size() != kCodeWords)
    return Status::error(Code::kInvalidArgument, "a probe's code of the wrong length");
  if (size() == 0) return {};
  return guarded("searching a gallery's index", [&] { overlooks = find(probe.data(), live, out); });
}

Status create(Kind kind, const Settings& settings, std::span<const uint64_t> sample,
              const std::function<bool()>& proceed, std::unique_ptr<Index>& out) {
  VISAGE_TRY(check(settings));
  if (sample.size() % kCodeWords != 0)
    return Status::error(Code::kInvalidArgument, "a sample of broken codes");
  return guarded("making a gallery's index", [&] {
    if (kind == Kind::kHnsw)
      out = std::make_unique<Hnsw>(settings);
    else
      out = std::make_unique<Ivf>(settings, sample, proceed);
  });
}

void warm_up(int threads) {
  int started = 0;
#pragma omp parallel num_threads(threads) reduction(+ : started)
  started += 1;
  (void)started;
}

}  // namespace visage::gallery_index
