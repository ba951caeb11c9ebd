// From what was seen in a frame to what a person can do about it, the most helpful thing first. [6.1.1e]
#pragma once

#include <string_view>
#include <vector>

#include "sidecar/capture/pipeline.h"

namespace visage::sidecar::page {

// Keys of the page's words; empty when the frame is good enough to be taken. `alone`: nobody else may be in
// the picture, as where a face is stored; else the main face only has to be told from the others. [6.1.1f]
std::vector<std::string_view> advise(const capture::Inspection& seen, bool alone);

}  // namespace visage::sidecar::page
