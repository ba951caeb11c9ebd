// Features of a dataset through the real capture pipeline, remembered between runs.
#pragma once

#include <string>
#include <vector>

#include "accuracy_dataset.h"
#include "core/probe/probe.h"
#include "sidecar/capture/pipeline.h"

namespace visage::bench {

struct Features {
  std::vector<probe::Contents> contents;  // one a picture; dimension 0: no feature
  size_t found = 0;                       // pictures with a face, hence with a feature
  std::vector<capture::Timings> timings;  // of the pictures that this run processed
};

// Extracts with one thread a core. Results are appended to a file under
// ${XDG_CACHE_HOME:-~/.cache}/pg_visage/bench as they come, keyed by model id and the archive's SHA-256, so
// that an interrupted run goes on where it stopped. A few remembered features are computed again: when one
// differs, the pipeline has changed and all are dropped.
bool extract_features(const Dataset& dataset, const capture::Pipeline& pipeline, Features& out);

}  // namespace visage::bench
