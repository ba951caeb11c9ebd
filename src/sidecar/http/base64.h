// Standard base64 (RFC 4648 section 4): padded, no line ends, no other characters.
#pragma once

#include <string_view>

#include "sidecar/app/wiped.h"

namespace visage::sidecar::http {

bool decode_base64(std::string_view text, WipedBytes& out);

}  // namespace visage::sidecar::http
