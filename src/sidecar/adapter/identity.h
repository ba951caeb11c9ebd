// What is asked of an authority's ID service, and what its signed answer says.   [6.6d] [B.1]
//
// The answer is a statement (core/statement) that names the request, the values that it is about and the
// photo that comes with it, so that nothing of another request, another person or another photo passes for
// it. docs/adapters.md has the protocol.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/statement/statement.h"
#include "sidecar/adapter/reason.h"
#include "sidecar/app/wiped.h"

namespace visage::sidecar::adapter {

inline constexpr size_t kDigestBytes = 32;
using Digest = std::array<uint8_t, kDigestBytes>;
// Names and values, as an identity document has them. Ordered: the digest is over them in order of their
// names.
using Fields = std::map<std::string, WipedString, std::less<>>;

// From a JSON object of strings. INVALID_VALUE unless it has 1–32 names of lower-case letters, digits and
// underscores, each with a value of 1–256 bytes on one line.
http::Failure read_fields(std::string_view json, Fields& out);
// SHA-256 over "name=value\n" of each field.
Digest digest_of(const Fields& fields);

struct IdentityRequest {
  std::string authority;
  std::string id;  // a random UUID
  Digest nonce;    // random
  const Fields* fields;
};
WipedString render_request(const IdentityRequest& request);

enum class Word : uint8_t { kVouched, kDenied, kUndecided };

// Views into the text that was parsed.
struct Statement {
  std::string_view signed_text, authority, request;
  Digest nonce, fields;
  Word word;
  std::vector<std::string> vouched;  // names of fields, ascending
  bool has_photo;
  Digest photo;  // SHA-256
  std::string_view reference;
  int64_t issued_at;  // seconds since 1970
  statement::Signature signature;
};
// kMalformed names the line that is wrong.
Status parse_statement(std::string_view text, Statement& out);

struct IdentityAnswer {
  bool vouched = false;             // for the fields below
  std::vector<std::string> fields;  // names
  std::string reference;            // the authority's own number
  std::string statement;            // as it was signed, with its signature: for the institution to keep
  WipedBytes photo;                 // empty: it has none
};

struct Trust {
  std::string public_key;  // PEM
  int64_t max_age_s;
};

// Everything that must hold of an answer's body before it counts.
Doubt read_answer(const WipedBytes& body, const IdentityRequest& request, const Trust& trust, int64_t now,
                  size_t max_photo, IdentityAnswer& out);

}  // namespace visage::sidecar::adapter
