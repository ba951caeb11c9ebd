// Lists of codes that are near to a common centre: faiss::IndexBinaryIVF. A search reads those lists whose
// centres are nearest to the probe.
#pragma once

#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryIVF.h>

#include <memory>
#include <vector>

#include "gallery_index/base.h"

namespace visage::gallery_index {

class Ivf final : public IndexBase {
 public:
  // Learns the centres from the sample: a majority vote of each bit among the codes of a list, which is
  // k-means for Hamming distances. (FAISS trains on floats: 4 kB a code and a matrix product.)
  Ivf(const Settings& settings, std::span<const uint64_t> sample, const std::function<bool()>& proceed);
  // Of a snapshot; throws where it is not an index that this class made.
  Ivf(const Settings& settings, std::unique_ptr<faiss::IndexBinaryIVF> index);
  ~Ivf() override;

  Kind kind() const override { return Kind::kIvf; }
  size_t memory() const override;
  const faiss::IndexBinaryIVF& faiss_index() const { return *index_; }

 private:
  void append(const uint64_t* codes, size_t count) override;
  void each_code(const std::function<void(size_t, const uint64_t*)>& take) const override;
  bool find(const uint64_t* probe, const Live& live, gallery::Nearest& out) override;

  size_t lists() const { return index_->nlist; }
  const uint64_t* centres() const;

  std::unique_ptr<faiss::IndexBinaryIVF> index_;  // owns its quantizer
};

}  // namespace visage::gallery_index
