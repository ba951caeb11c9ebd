// What binds an answer to its request: an id and a nonce that nobody can foresee.
#pragma once

#include <string>

#include "core/base/bytes.h"

namespace visage::sidecar::adapter {

// A random UUID in its text form. False when there is no randomness.
bool make_request_id(std::string& id);
bool make_request_id(std::string& id, MutableBytes nonce);

}  // namespace visage::sidecar::adapter
