// The address of a service, as an operator writes it.
#pragma once

#include <string>
#include <string_view>

#include "core/base/status.h"

namespace visage::sidecar::adapter {

struct Url {
  std::string host, port, path;
};
// kInvalidArgument unless it is https://host[:port]/path without user, query or fragment.
Status parse_url(std::string_view text, Url& out);

}  // namespace visage::sidecar::adapter
