// The server's TLS settings, and who a client certificate says the peer is.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "core/base/status.h"

namespace visage::sidecar::http {

struct TlsFiles {
  std::string certificate;  // PEM chain, leaf first
  std::string key;          // PEM, not readable by others
  std::string client_ca;    // PEM; empty: no client certificates are asked for
  bool client_optional = false;
};

// Of the daemon as a client of another service.
struct TlsClientFiles {
  std::string certificate;  // PEM chain, leaf first
  std::string key;          // PEM, not readable by others
  std::string authority;    // PEM: the only ones that the service's certificate may have
};

struct TlsDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsDeleter>;

// TLS 1.2 and up, forward-secret AEAD suites only, no renegotiation, no session resumption (every connection
// is authenticated afresh).
Status make_tls_context(const TlsFiles& files, TlsContext& out);

// The same rules for connections that the daemon makes. Who makes one binds it to the name that it asks for.
Status make_tls_client_context(const TlsClientFiles& files, TlsContext& out);

// The name in a verified client certificate: the first DNS, URI or e-mail subject alternative name, else the
// common name. Empty when there is no certificate, or no name of 1–128 printable ASCII characters.
std::string peer_name(const SSL* tls);

}  // namespace visage::sidecar::http
