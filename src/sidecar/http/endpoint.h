// A listening address: where it is, and whether only this machine reaches it.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "core/base/status.h"

namespace visage::sidecar::http {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
  bool loopback = false;
};

// "host:port" or "[v6]:port". A name is resolved once; every address it has must be loopback to count as
// such.
Status resolve_endpoint(std::string_view text, Endpoint& out);

// Binds and listens. `bound` receives "address:port" with the real port. A port in use is an error: the
// socket does not share its port with another process.
Status open_listener(const Endpoint& endpoint, int& socket, std::string& bound);

}  // namespace visage::sidecar::http
