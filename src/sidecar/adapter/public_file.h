// Reads a small file that everybody may read: a public key.
#pragma once

#include <string>

#include "core/base/status.h"

namespace visage::sidecar::adapter {

Status read_public_file(const std::string& path, std::string& out);

}  // namespace visage::sidecar::adapter
