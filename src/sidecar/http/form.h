// The named parts of a request body, whichever way they were sent.
//
// parse_form() accepts multipart/form-data (RFC 7578) and application/json with base64 pictures. Both give
// the same Form, and both refuse parts that are missing, doubled or unknown, so that a misspelt name is not a
// silent default.
#pragma once

#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sidecar/app/wiped.h"
#include "sidecar/http/problem.h"

namespace visage::sidecar::http {

enum class PartKind {
  kText,     // UTF-8 without control characters
  kObject,   // a JSON object
  kPicture,  // bytes; base64 inside JSON
  kFrames,   // a bundle of sealed frames: bytes, more than of a picture; base64 inside JSON
  kSecret,   // text that may be long: a password, a certificate
};

// Sixty frames are much smaller than sixty pictures: what they may have together.
inline constexpr size_t kFramesPictures = 2;

struct PartRule {
  std::string_view name;
  PartKind kind;
  bool required;
};

enum class BodyType { kMultipart, kJson };

// From the Content-Type header; false when it is neither. `boundary` is set for multipart.
bool body_type_of(std::string_view content_type, BodyType& type, std::string& boundary);

class Form {
 public:
  // A part's content; empty when it was not sent.
  Bytes bytes(std::string_view name) const;
  std::string text(std::string_view name, std::string_view otherwise = {}) const;
  bool has(std::string_view name) const;
  // UNKNOWN_PART when there is a part that no rule names.
  Failure check_names(std::span<const PartRule> rules) const;

  // Content that the caller keeps alive, or that the form takes over.
  Failure add(std::string_view name, Bytes content);
  Failure add(std::string_view name, WipedBytes&& content);

 private:
  struct Part {
    WipedString name;  // as it was sent
    Bytes content;
  };
  std::vector<Part> parts_;
  std::list<WipedBytes> owned_;  // a list: contents must not move
};

// `body` must outlive the form. `max_picture` is in bytes, after decoding.
Failure parse_form(BodyType type, std::string_view boundary, const WipedBytes& body,
                   std::span<const PartRule> rules, size_t max_picture, Form& out);

// The rules alone: names, presence, sizes, kinds.
Failure check_form(const Form& form, std::span<const PartRule> rules, size_t max_picture);

// Says which names are known, and not which was sent: it may be anything.
Failure unknown_part(std::span<const PartRule> rules);

// The two syntaxes; parse_form() applies the rules to what they find.
Failure parse_multipart(std::string_view boundary, Bytes body, Form& out);
Failure parse_json_body(Bytes body, std::span<const PartRule> rules, Form& out);

// Asked before JSON is parsed: a few bytes of it can become many of tree, and every level costs stack here
// and in the database.
bool shape_is_modest(std::string_view json);

}  // namespace visage::sidecar::http
