// Who may call what: the list in --callers-file.
//
// One caller a line, blanks between the fields, # starts a comment:
//   sha256:<64 hex digits of SHA-256(token)>   <caller>   <route>[,<route>…] or * or *,identify   [<rate>]
//   certificate:<name in the certificate>      <caller>   …
//   certificate:*                              …          any certificate of the client authority
// A rate is 20/s or 90/min, of all calls of that name together.
// Routes are the names of the routing table, as docs/http-api.md lists them. * is all but identify and the
// console's, which are always named. Tokens themselves are never stored.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/status.h"
#include "sidecar/http/rate_limit.h"

namespace visage::sidecar::http {

struct Caller {
  std::string name;
  std::vector<std::string> routes;  // empty, or * first: all but identify
  std::optional<Rate> rate;         // absent: --caller-rate

  bool may(std::string_view route) const;
};

class Callers {
 public:
  // Replaces the list. An error names the line.
  Status parse(std::string_view text);
  // A list in which any certificate of the client authority may do anything.
  void allow_any_certificate();

  // Null when unknown. Looks at every entry, whichever fits, and compares digests in constant time.
  const Caller* by_token(std::string_view token) const;
  const Caller* by_certificate(std::string_view name) const;

 private:
  struct Token {
    std::array<unsigned char, 32> digest;
    Caller caller;
  };
  struct Certificate {
    std::string name;  // "*": any
    Caller caller;
  };
  Status parse_line(std::string_view line, size_t number);

  std::vector<Token> tokens_;
  std::vector<Certificate> certificates_;
};

}  // namespace visage::sidecar::http
