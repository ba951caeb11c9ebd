#include "sidecar/adapter/identity.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/crypto/engine.h"
#include "sidecar/http/form.h"

namespace visage::sidecar::adapter {
namespace {

using http::PartKind;
using http::PartRule;
using http::Problem;
using http::ProblemCode;

constexpr size_t kMaxFields = 32;
constexpr size_t kMaxFieldName = 63;
constexpr size_t kMaxFieldValue = 256;
constexpr size_t kMaxAuthority = 63;
constexpr size_t kMaxReference = 128;  // as visage.authority_record has it
constexpr size_t kMaxStatement = 8192;
constexpr PartRule kAnswer[] = {{"statement", PartKind::kSecret, true}, {"photo", PartKind::kPicture, false}};

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxFieldName && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

// A name without the characters that a line's or a list's syntax needs.
bool is_request_id(std::string_view text) {
  return text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

bool parse_word(std::string_view text, Word& out) {
  if (text == "vouched")
    out = Word::kVouched;
  else if (text == "denied")
    out = Word::kDenied;
  else if (text == "undecided")
    out = Word::kUndecided;
  else
    return false;
  return true;
}

// "id_number,name": ascending, each once, so that a list has one spelling. Empty: none.
bool parse_names(std::string_view text, std::vector<std::string>& out) {
  out.clear();
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    if (!is_field_name(name) || out.size() == kMaxFields || (!out.empty() && name <= out.back()))
      return false;
    out.emplace_back(name);
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
    if (text.empty()) return false;
  }
  return true;
}

bool parse_photo(std::string_view text, Statement& out) {
  out.has_photo = text != "none";
  return !out.has_photo || statement::parse_hex(text, out.photo);
}

Status wrong_line(const char* name) {
  return Status::error(Code::kMalformed, "statement: the line \"%s\" is missing or malformed", name);
}

void append_hex(Bytes bytes, WipedString& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

// Of text that is known to be UTF-8 without control characters.
void append_quoted(std::string_view text, WipedString& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

Doubt check_statement(const Statement& said, const IdentityRequest& request, const Trust& trust,
                      int64_t now) {
  // The signature first: what is not signed says nothing, not even why it is wrong.
  if (!statement::verify(said.signed_text, said.signature, trust.public_key).ok())
    return Reason::kWrongSignature;
  if (said.authority != request.authority) return Reason::kWrongAuthority;
  if (said.request != request.id || said.nonce != request.nonce) return Reason::kReplayedAnswer;
  if (said.issued_at < now - trust.max_age_s || said.issued_at > now + trust.max_age_s)
    return Reason::kStaleAnswer;
  if (said.fields != digest_of(*request.fields)) return Reason::kWrongSubject;
  if (said.word == Word::kUndecided) return Reason::kUndecided;
  const auto was_asked = [&](const std::string& name) { return request.fields->contains(name); };
  if (!std::all_of(said.vouched.begin(), said.vouched.end(), was_asked)) return Reason::kMalformedAnswer;
  // Who vouches for nothing does not vouch.
  if (said.vouched.empty() == (said.word == Word::kVouched)) return Reason::kMalformedAnswer;
  return {};
}

}  // namespace

http::Failure read_fields(std::string_view json, Fields& out) {
  const Problem wrong{
      ProblemCode::kInvalidValue,
      "Part \"fields\" is an object of 1 to 32 names (lower-case letters, digits, underscores), each "
      "with a text of 1 to 256 bytes on one line."};
  const auto document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object() || document.empty() || document.size() > kMaxFields) return wrong;
  for (const auto& [name, value] : document.items()) {
    if (!is_field_name(name) || !value.is_string()) return wrong;
    const auto& text = value.get_ref<const std::string&>();
    if (!statement::is_name(text, kMaxFieldValue)) return wrong;
    out.emplace(name, WipedString(text));
  }
  return {};
}

Digest digest_of(const Fields& fields) {
  WipedString text;
  for (const auto& [name, value] : fields) text.append(name).append("=").append(value).append("\n");
  Digest digest;
  crypto::sha256(as_bytes(text), digest.data());
  return digest;
}

WipedString render_request(const IdentityRequest& request) {
  WipedString out;
  out.reserve(2048);
  out.append(R"({"protocol":"visage/identity/1","authority":)");
  append_quoted(request.authority, out);
  out.append(R"(,"request":")").append(request.id).append(R"(","nonce":")");
  append_hex(request.nonce, out);
  out.append(R"(","fields":{)");
  bool first = true;
  for (const auto& [name, value] : *request.fields) {
    if (!first) out += ',';
    first = false;
    append_quoted(name, out);
    out += ':';
    append_quoted(value, out);
  }
  return out.append("}}");
}

Status parse_statement(std::string_view text, Statement& out) {
  if (text.size() > kMaxStatement) return Status::error(Code::kMalformed, "statement: too long");
  statement::Lines lines(text);
  std::string_view value;
  if (!lines.next("visage/identity/1", value) || !value.empty()) return wrong_line("visage/identity/1");
  if (!lines.next("authority: ", out.authority) || !statement::is_name(out.authority, kMaxAuthority))
    return wrong_line("authority");
  if (!lines.next("request: ", out.request) || !is_request_id(out.request)) return wrong_line("request");
  if (!lines.next("nonce: ", value) || !statement::parse_hex(value, out.nonce)) return wrong_line("nonce");
  if (!lines.next("fields: ", value) || !statement::parse_hex(value, out.fields)) return wrong_line("fields");
  if (!lines.next("answer: ", value) || !parse_word(value, out.word)) return wrong_line("answer");
  if (!lines.next("vouched: ", value) || !parse_names(value, out.vouched)) return wrong_line("vouched");
  if (!lines.next("photo: ", value) || !parse_photo(value, out)) return wrong_line("photo");
  if (!lines.next("reference: ", out.reference) || !statement::is_name(out.reference, kMaxReference))
    return wrong_line("reference");
  if (!lines.next("issued: ", value) || !statement::parse_seconds(value, out.issued_at))
    return wrong_line("issued");
  if (!lines.end(out.signed_text, out.signature)) return wrong_line("signature");
  return {};
}

Doubt read_answer(const WipedBytes& body, const IdentityRequest& request, const Trust& trust, int64_t now,
                  size_t max_photo, IdentityAnswer& out) {
  http::Form form;
  if (http::parse_form(http::BodyType::kJson, "", body, kAnswer, max_photo, form))
    return Reason::kMalformedAnswer;
  const std::string text = form.text("statement");
  Statement said{};
  if (!parse_statement(text, said).ok()) return Reason::kMalformedAnswer;
  if (const Doubt doubt = check_statement(said, request, trust, now)) return doubt;
  const Bytes photo = form.bytes("photo");
  if (said.has_photo == photo.empty()) return Reason::kWrongPhoto;
  Digest digest;
  crypto::sha256(photo, digest.data());
  if (said.has_photo && digest != said.photo) return Reason::kWrongPhoto;
  out.vouched = said.word == Word::kVouched;
  out.fields = said.vouched;
  out.reference = said.reference;
  out.statement = text;
  out.photo.assign(photo.begin(), photo.end());
  return {};
}

}  // namespace visage::sidecar::adapter
