#include "sidecar/http/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace visage::sidecar::http {
namespace {

constexpr int kBacklog = 128;

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

// RFC 1918, RFC 6598 (carriers' and clouds' inner networks), RFC 3927; RFC 4193, RFC 4291.
bool is_internal(const sockaddr* address) {
  if (is_loopback(address)) return true;
  if (address->sa_family == AF_INET) {
    const uint32_t v4 = ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
    return v4 >> 24 == 10 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 || v4 >> 22 == 0x191 ||
           v4 >> 16 == 0xa9fe;
  }
  const uint8_t* v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr.s6_addr;
  return (v6[0] & 0xfe) == 0xfc || (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80);
}

std::string describe(const sockaddr_storage& address, socklen_t length) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "?";
  const bool v6 = address.ss_family == AF_INET6;
  return (v6 ? "[" : "") + std::string(host) + (v6 ? "]:" : ":") + port;
}

}  // namespace

Status resolve_endpoint(std::string_view text, Endpoint& out) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
    return Status::error(Code::kInvalidArgument, "\"%.*s\" is not host:port", static_cast<int>(text.size()),
                         text.data());
  std::string host(text.substr(0, colon));
  const std::string port(text.substr(colon + 1));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    return Status::error(Code::kInvalidArgument, "cannot resolve %.*s: %s", static_cast<int>(text.size()),
                         text.data(), gai_strerror(error));
  std::memcpy(&out.address, found->ai_addr, found->ai_addrlen);
  out.length = found->ai_addrlen;
  out.loopback = out.internal = true;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    out.loopback = out.loopback && is_loopback(entry->ai_addr);
    out.internal = out.internal && is_internal(entry->ai_addr);
  }
  freeaddrinfo(found);
  return {};
}

Status open_listener(const Endpoint& endpoint, int& socket_out, std::string& bound) {
  const int listener = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return Status::error(Code::kInternal, "cannot make a socket: %s", std::strerror(errno));
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_storage actual{};
  socklen_t length = sizeof actual;
  if (bind(listener, reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length) != 0 ||
      listen(listener, kBacklog) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&actual), &length) != 0) {
    const int reason = errno;
    close(listener);
    return Status::error(Code::kInvalidArgument, "cannot listen on %s: %s",
                         describe(endpoint.address, endpoint.length).c_str(), std::strerror(reason));
  }
  socket_out = listener;
  bound = describe(actual, length);
  return {};
}

}  // namespace visage::sidecar::http
