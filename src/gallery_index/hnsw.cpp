#include "gallery_index/hnsw.h"

#include <faiss/impl/DistanceComputer.h>

#include <algorithm>
#include <stdexcept>

#include "core/base/secret.h"
#include "gallery_index/hamming.h"

namespace visage::gallery_index {
namespace {

using gallery::kCodeBits;
using gallery::kCodeWords;

// FAISS's own would count bits without the instruction for it.
class Distances final : public faiss::DistanceComputer {
 public:
  explicit Distances(const uint8_t* codes)
      : kernels_(gallery::best_kernels()), codes_(reinterpret_cast<const uint64_t*>(codes)) {}
  void set_query(const float* code) override { query_ = reinterpret_cast<const uint64_t*>(code); }
  float operator()(idx_t i) override { return static_cast<float>(distance(kernels_, at(i), query_)); }
  float symmetric_dis(idx_t i, idx_t j) override {
    return static_cast<float>(distance(kernels_, at(i), at(j)));
  }
  const uint64_t* at(idx_t i) const { return codes_ + static_cast<size_t>(i) * kCodeWords; }

 private:
  const gallery::Kernels& kernels_;
  const uint64_t* codes_;
  const uint64_t* query_ = nullptr;
};

void tune(faiss::IndexBinaryHNSW& index, const Settings& settings) {
  index.hnsw.efConstruction = static_cast<int>(settings.beam_of_build);
  // A queue that is a heap: the bounded one is searched from end to end for each step.
  index.hnsw.search_bounded_queue = false;
}

}  // namespace

Hnsw::Hnsw(const Settings& settings)
    : IndexBase(settings),
      index_(std::make_unique<faiss::IndexBinaryHNSW>(static_cast<int>(kCodeBits),
                                                      static_cast<int>(settings.links))) {
  tune(*index_, settings);
}

Hnsw::Hnsw(const Settings& settings, std::unique_ptr<faiss::IndexBinaryHNSW> index)
    : IndexBase(settings), index_(std::move(index)) {
  const auto* flat = dynamic_cast<const faiss::IndexBinaryFlat*>(index_->storage);
  const auto count = static_cast<size_t>(std::max<faiss::IndexBinary::idx_t>(index_->ntotal, 0));
  if (flat == nullptr || index_->d != static_cast<int>(kCodeBits) || flat->ntotal != index_->ntotal ||
      flat->xb.size() != count * kCodeWords * sizeof(uint64_t) || index_->hnsw.levels.size() != count ||
      index_->hnsw.offsets.size() != count + 1 ||
      index_->hnsw.nb_neighbors(1) != static_cast<int>(settings.links))
    throw std::runtime_error("not an index that was made here");
  places_.assign(count, kNoPlace);
  tune(*index_, settings);
}

Hnsw::~Hnsw() {
  for (omp_lock_t& lock : locks_) omp_destroy_lock(&lock);
  auto* flat = static_cast<faiss::IndexBinaryFlat*>(index_->storage);
  wipe(flat->xb.data(), flat->xb.size());
}

const faiss::IndexBinaryFlat& Hnsw::codes() const {
  return *static_cast<const faiss::IndexBinaryFlat*>(index_->storage);
}

void Hnsw::lock_more() {
  const size_t had = locks_.size();
  locks_.resize(static_cast<size_t>(index_->ntotal));
  for (size_t i = had; i < locks_.size(); ++i) omp_init_lock(&locks_[i]);
}

// As FAISS's add(), whose distances cannot be replaced: those of high levels first, one level at a time, as
// only codes of one level may be added at once.
void Hnsw::append(const uint64_t* codes_to_add, size_t count) {
  auto* flat = static_cast<faiss::IndexBinaryFlat*>(index_->storage);
  const auto first = static_cast<size_t>(index_->ntotal);
  flat->add(static_cast<faiss::IndexBinary::idx_t>(count), reinterpret_cast<const uint8_t*>(codes_to_add));
  index_->ntotal = flat->ntotal;
  faiss::HNSW& hnsw = index_->hnsw;
  hnsw.efConstruction = static_cast<int>(settings_.beam_of_build);
  hnsw.prepare_level_tab(count);
  lock_more();

  std::vector<int> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<int>(first + i);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return hnsw.levels[static_cast<size_t>(a)] > hnsw.levels[static_cast<size_t>(b)];
  });
  std::vector<faiss::VisitedTable> visited(static_cast<size_t>(settings_.threads),
                                           faiss::VisitedTable(static_cast<int>(index_->ntotal)));
  bool failed = false;  // no exception may leave a parallel block
  for (size_t begin = 0, end; begin < count; begin = end) {
    const int level = hnsw.levels[static_cast<size_t>(order[begin])];
    for (end = begin + 1; end < count && hnsw.levels[static_cast<size_t>(order[end])] == level;) ++end;
    // The first code of all has nobody to be linked to, and must be there before others look for somebody.
    if (hnsw.entry_point < 0) end = begin + 1;
#pragma omp parallel for schedule(dynamic, 4) num_threads(end - begin < 8 ? 1 : settings_.threads)
    for (size_t i = begin; i < end; ++i) {
      try {
        Distances distances(flat->xb.data());
        distances.set_query(reinterpret_cast<const float*>(distances.at(order[i])));
        hnsw.add_with_locks(distances, level - 1, order[i], locks_,
                            visited[static_cast<size_t>(omp_get_thread_num())]);
      } catch (...) {
#pragma omp atomic write
        failed = true;
      }
    }
    if (failed) throw std::bad_alloc();
  }
}

void Hnsw::each_code(const std::function<void(size_t, const uint64_t*)>& take) const {
  const auto* words = reinterpret_cast<const uint64_t*>(codes().xb.data());
  for (size_t i = 0; i < size(); ++i) take(i, words + i * kCodeWords);
}

bool Hnsw::find(const uint64_t* probe, const Live& live, gallery::Nearest& out) {
  if (visited_ == nullptr || visited_->visited.size() != size())
    visited_ = std::make_unique<faiss::VisitedTable>(static_cast<int>(size()));
  // The whole beam is asked for: of it the dead are left out here, as the graph is walked through them.
  const size_t beam = std::min<size_t>(settings_.beam_of_search, size());
  std::vector<faiss::HNSW::idx_t> numbers(beam, -1);
  std::vector<float> distances(beam);
  Distances computer(codes().xb.data());
  computer.set_query(reinterpret_cast<const float*>(probe));
  faiss::SearchParametersHNSW parameters;
  parameters.efSearch = static_cast<int>(beam);
  index_->hnsw.search(computer, static_cast<int>(beam), numbers.data(), distances.data(), *visited_,
                      &parameters);
  size_t seen = 0;
  for (size_t i = 0; i < beam; ++i) {
    if (numbers[i] < 0) continue;
    ++seen;
    offer(static_cast<size_t>(numbers[i]), static_cast<uint32_t>(distances[i]), live, out);
  }
  const float farthest =
      seen == 0 ? 0 : *std::max_element(distances.begin(), distances.begin() + static_cast<long>(seen));
  const bool overlooks = seen == settings_.beam_of_search && farthest <= static_cast<float>(out.bound());
  // Who looks like the probe is the probe's secret too.
  wipe(numbers.data(), numbers.size() * sizeof numbers[0]);
  wipe(distances.data(), distances.size() * sizeof distances[0]);
  return overlooks;
}

size_t Hnsw::memory() const {
  const faiss::HNSW& hnsw = index_->hnsw;
  return codes().xb.capacity() + hnsw.neighbors.capacity() * sizeof(int32_t) +
         hnsw.offsets.capacity() * sizeof(size_t) + hnsw.levels.capacity() * sizeof(int) +
         locks_.capacity() * sizeof(omp_lock_t) + places_.capacity() * sizeof(uint32_t) +
         (visited_ == nullptr ? 0 : visited_->visited.capacity());
}

}  // namespace visage::gallery_index
