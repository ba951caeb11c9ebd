// A quality check as JSON, for the API and the command line.
#pragma once

#include <string>

#include "sidecar/capture/pipeline.h"
#include "sidecar/quality/profile.h"

namespace visage::sidecar::http {

// `request_id` may be empty.
// With marks: the face's points and axes too, to draw over the picture.
enum class Marks { kLeftOut, kShown };
std::string render_quality(const capture::Inspection& seen, const quality::Profile& profile,
                           std::string_view request_id, Marks marks = Marks::kLeftOut);

}  // namespace visage::sidecar::http
