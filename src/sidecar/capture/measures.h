// The basic quality measures of a capture: ISO/IEC 29794-5 where it has one, plain counts and pixels
// otherwise.
#pragma once

#include "core/probe/probe.h"
#include "sidecar/capture/detection.h"
#include "sidecar/capture/mesh.h"

namespace visage::capture {

// Appends to out.quality. `faces` is sorted by prominence and not empty; `mesh` is the main face's.
void measure(cv::Size image, std::span<const Detection> faces, const Mesh& mesh, probe::Contents& out);

}  // namespace visage::capture
