// A quality check as JSON, for the API and the command line.
#pragma once

#include <string>

#include "sidecar/capture/pipeline.h"
#include "sidecar/quality/profile.h"

namespace visage::sidecar::http {

// `request_id` may be empty.
std::string render_quality(const capture::Inspection& seen, const quality::Profile& profile,
                           std::string_view request_id);

}  // namespace visage::sidecar::http
