#include "gallery_index/ivf.h"

#include <algorithm>
#include <random>
#include <stdexcept>

#include "core/base/secret.h"
#include "gallery_index/hamming.h"

namespace visage::gallery_index {
namespace {

using gallery::Hit;
using gallery::kCodeBits;
using gallery::kCodeWords;
using Number = faiss::IndexBinary::idx_t;

constexpr int kRounds = 8;
constexpr size_t kBlock = 256;  // codes that a kernel takes at once

const uint8_t* as_bytes(const uint64_t* words) {
  return reinterpret_cast<const uint8_t*>(words);
}

// The centre that is nearest to each code.
void assign(const uint64_t* centres, size_t lists, const uint64_t* codes, size_t count, int threads,
            Number* out) {
  const gallery::Kernels& kernels = gallery::best_kernels();
#pragma omp parallel for schedule(static) num_threads(count < kBlock ? 1 : threads)
  for (size_t i = 0; i < count; ++i) {
    Hit room;
    gallery::Nearest nearest(&room, 1, kCodeBits);
    gallery::search(kernels, centres, nullptr, 0, lists, codes + i * kCodeWords, nearest);
    out[i] = static_cast<Number>(room.place);
  }
}

// Each bit of each centre as most codes of its list have it; a draw is left as it was.
void vote(const uint64_t* codes, const std::vector<Number>& lists_of, std::vector<uint64_t>& centres,
          std::mt19937_64& random) {
  const size_t lists = centres.size() / kCodeWords;
  std::vector<int32_t> votes(lists * kCodeBits);
  std::vector<size_t> sizes(lists);
  for (size_t i = 0; i < lists_of.size(); ++i) {
    const auto list = static_cast<size_t>(lists_of[i]);
    ++sizes[list];
    for (size_t bit = 0; bit < kCodeBits; ++bit)
      votes[list * kCodeBits + bit] += (codes[i * kCodeWords + bit / 64] >> bit % 64 & 1) != 0 ? 1 : -1;
  }
  for (size_t list = 0; list < lists; ++list) {
    uint64_t* const centre = &centres[list * kCodeWords];
    if (sizes[list] == 0) {  // begins again somewhere else
      const uint64_t* code = codes + random() % lists_of.size() * kCodeWords;
      std::copy(code, code + kCodeWords, centre);
      continue;
    }
    for (size_t bit = 0; bit < kCodeBits; ++bit) {
      const int32_t sum = votes[list * kCodeBits + bit];
      const uint64_t mask = uint64_t{1} << bit % 64;
      if (sum > 0) centre[bit / 64] |= mask;
      if (sum < 0) centre[bit / 64] &= ~mask;
    }
  }
}

std::vector<uint64_t> learn_centres(const Settings& settings, std::span<const uint64_t> sample, size_t lists,
                                    const std::function<bool()>& proceed) {
  const size_t count = sample.size() / kCodeWords;
  std::mt19937_64 random(count);
  std::vector<size_t> chosen(count);
  for (size_t i = 0; i < count; ++i) chosen[i] = i;
  std::shuffle(chosen.begin(), chosen.end(), random);
  std::vector<uint64_t> centres(lists * kCodeWords);
  for (size_t list = 0; list < lists; ++list)
    std::copy_n(sample.data() + chosen[list] * kCodeWords, kCodeWords, &centres[list * kCodeWords]);
  std::vector<Number> lists_of(count);
  for (int round = 0; round < kRounds; ++round) {
    if (proceed && !proceed()) throw std::runtime_error("ended by the caller");
    assign(centres.data(), lists, sample.data(), count, settings.threads, lists_of.data());
    vote(sample.data(), lists_of, centres, random);
  }
  return centres;
}

}  // namespace

Ivf::Ivf(const Settings& settings, std::span<const uint64_t> sample, const std::function<bool()>& proceed)
    : IndexBase(settings) {
  const size_t count = sample.size() / kCodeWords;
  const size_t lists = std::min<size_t>(lists_for(settings, count), count);
  if (lists == 0) throw std::runtime_error("nothing to learn from");
  settings_.lists = static_cast<uint32_t>(lists);
  const std::vector<uint64_t> centres = learn_centres(settings, sample, lists, proceed);
  auto quantizer = std::make_unique<faiss::IndexBinaryFlat>(static_cast<Number>(kCodeBits));
  quantizer->add(static_cast<Number>(lists), as_bytes(centres.data()));
  index_ = std::make_unique<faiss::IndexBinaryIVF>(quantizer.get(), kCodeBits, lists);
  quantizer.release();
  index_->own_fields = true;
  index_->is_trained = true;
}

Ivf::Ivf(const Settings& settings, std::unique_ptr<faiss::IndexBinaryIVF> index)
    : IndexBase(settings), index_(std::move(index)) {
  const auto* flat = dynamic_cast<const faiss::IndexBinaryFlat*>(index_->quantizer);
  const auto count = static_cast<size_t>(std::max<Number>(index_->ntotal, 0));
  if (flat == nullptr || index_->d != static_cast<int>(kCodeBits) || !index_->is_trained ||
      index_->nlist == 0 || flat->xb.size() != index_->nlist * kCodeWords * sizeof(uint64_t) ||
      index_->invlists == nullptr || index_->invlists->nlist != index_->nlist ||
      index_->invlists->code_size != kCodeWords * sizeof(uint64_t) ||
      index_->invlists->compute_ntotal() != count || (settings.lists != 0 && settings.lists != index_->nlist))
    throw std::runtime_error("not an index that was made here");
  for (size_t list = 0; list < index_->nlist; ++list) {
    const Number* numbers = index_->invlists->get_ids(list);
    for (size_t i = 0; i < index_->invlists->list_size(list); ++i)
      if (numbers[i] < 0 || static_cast<size_t>(numbers[i]) >= count)
        throw std::runtime_error("not an index that was made here");
  }
  settings_.lists = static_cast<uint32_t>(index_->nlist);
  places_.assign(count, kNoPlace);
}

Ivf::~Ivf() {
  auto* lists = dynamic_cast<faiss::ArrayInvertedLists*>(index_ ? index_->invlists : nullptr);
  if (lists == nullptr) return;
  for (std::vector<uint8_t>& codes : lists->codes) wipe(codes.data(), codes.size());
}

const uint64_t* Ivf::centres() const {
  return reinterpret_cast<const uint64_t*>(
      static_cast<const faiss::IndexBinaryFlat*>(index_->quantizer)->xb.data());
}

void Ivf::append(const uint64_t* codes, size_t count) {
  std::vector<Number> lists_of(count);
  assign(centres(), lists(), codes, count, settings_.threads, lists_of.data());
  index_->add_core(static_cast<Number>(count), as_bytes(codes), nullptr, lists_of.data());
}

void Ivf::each_code(const std::function<void(size_t, const uint64_t*)>& take) const {
  for (size_t list = 0; list < lists(); ++list) {
    const auto* words = reinterpret_cast<const uint64_t*>(index_->invlists->get_codes(list));
    const Number* numbers = index_->invlists->get_ids(list);
    for (size_t i = 0; i < index_->invlists->list_size(list); ++i)
      take(static_cast<size_t>(numbers[i]), words + i * kCodeWords);
  }
}

bool Ivf::find(const uint64_t* probe, const Live& live, gallery::Nearest& out) {
  const size_t probed = std::max<size_t>(1, lists() * settings_.probed_permille / 1000);
  const gallery::Kernels& kernels = gallery::best_kernels();
  std::vector<Hit> near(probed);
  gallery::Nearest nearest(near.data(), probed, kCodeBits);
  gallery::search(kernels, centres(), nullptr, 0, lists(), probe, nearest);
  const size_t found = nearest.sort();
  Hit hits[kBlock];
  for (size_t n = 0; n < found; ++n) {
    const size_t list = near[n].place;
    const auto* words = reinterpret_cast<const uint64_t*>(index_->invlists->get_codes(list));
    const Number* numbers = index_->invlists->get_ids(list);
    const size_t size = index_->invlists->list_size(list);
    for (size_t first = 0; first < size; first += kBlock) {
      const size_t within = kernels.within(words + first * kCodeWords, std::min(kBlock, size - first), probe,
                                           out.bound(), hits);
      for (size_t i = 0; i < within; ++i)
        offer(static_cast<size_t>(numbers[first + hits[i].place]), hits[i].distance, live, out);
    }
  }
  wipe(near.data(), near.size() * sizeof near[0]);
  wipe(hits, sizeof hits);
  return false;  // of what it reads it offers all
}

size_t Ivf::memory() const {
  size_t bytes = lists() * kCodeWords * sizeof(uint64_t) + places_.capacity() * sizeof(uint32_t);
  if (const auto* all = dynamic_cast<const faiss::ArrayInvertedLists*>(index_->invlists)) {
    for (size_t list = 0; list < lists(); ++list)
      bytes += all->codes[list].capacity() + all->ids[list].capacity() * sizeof(Number);
  }
  return bytes;
}

}  // namespace visage::gallery_index
