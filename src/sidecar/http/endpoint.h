// A listening address: where it is, and who can reach it.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "core/base/status.h"

namespace visage::sidecar::http {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
  bool loopback = false;  // this machine alone
  bool internal = false;  // at most an internal network: loopback, private, link-local
};

// "host:port" or "[v6]:port". A name is resolved once; every address it has must be loopback, or internal, to
// count as such. "Every address of this machine" is not internal: nobody can tell which it will have.
Status resolve_endpoint(std::string_view text, Endpoint& out);

// Binds and listens. `bound` receives "address:port" with the real port. A port in use is an error: the
// socket does not share its port with another process.
Status open_listener(const Endpoint& endpoint, int& socket, std::string& bound);

}  // namespace visage::sidecar::http
