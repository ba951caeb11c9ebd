// A graph of neighbours: faiss::IndexBinaryHNSW (Malkov and Yashunin, arXiv 1603.09320).
#pragma once

#include <faiss/IndexBinaryHNSW.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <omp.h>

#include <vector>

#include "gallery_index/base.h"

namespace visage::gallery_index {

class Hnsw final : public IndexBase {
 public:
  explicit Hnsw(const Settings& settings);
  // Of a snapshot; throws where it is not an index that this class made. `settings` has its number of links.
  Hnsw(const Settings& settings, std::unique_ptr<faiss::IndexBinaryHNSW> index);
  ~Hnsw() override;

  Kind kind() const override { return Kind::kHnsw; }
  size_t memory() const override;
  const faiss::IndexBinaryHNSW& faiss_index() const { return *index_; }

 private:
  void append(const uint64_t* codes, size_t count) override;
  void each_code(const std::function<void(size_t, const uint64_t*)>& take) const override;
  bool find(const uint64_t* probe, const Live& live, gallery::Nearest& out) override;

  const faiss::IndexBinaryFlat& codes() const;
  void lock_more();

  std::unique_ptr<faiss::IndexBinaryHNSW> index_;
  std::vector<omp_lock_t> locks_;
  std::unique_ptr<faiss::VisitedTable> visited_;  // of searches; one byte a code
};

}  // namespace visage::gallery_index
