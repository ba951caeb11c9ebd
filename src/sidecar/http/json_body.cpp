// application/json: one flat object, pictures as standard base64 (RFC 4648 section 4).
#include <algorithm>

#include "sidecar/http/base64.h"
#include "sidecar/http/form.h"
#include "sidecar/http/json_reader.h"
#include "sidecar/http/utf8.h"

namespace visage::sidecar::http {
namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxValues = 4096;

Failure malformed(std::string detail) {
  return Problem{ProblemCode::kMalformedJson, std::move(detail)};
}

Failure not_json() {
  return malformed("The body is not JSON in UTF-8.");
}

Failure take_member(const PartRule& rule, JsonReader& reader, Form& out) {
  const std::string name(rule.name);
  if (rule.kind == PartKind::kObject) {
    if (!reader.next_is('{')) return malformed("Member \"" + name + "\" must be an object.");
    std::string_view text;
    if (!reader.take_object(text)) return not_json();
    return out.add(name, as_bytes(text));
  }
  if (!reader.next_is('"')) return malformed("Member \"" + name + "\" must be a string.");
  WipedString text;
  if (!reader.take_string(text)) return not_json();
  if (rule.kind != PartKind::kPicture && rule.kind != PartKind::kFrames)
    return out.add(name, WipedBytes(text.begin(), text.end()));
  WipedBytes picture;
  if (!decode_base64(text, picture))
    return Problem{ProblemCode::kMalformedBase64, "Member \"" + name +
                                                      "\" must be padded standard base64 without "
                                                      "line ends or a \"data:\" prefix."};
  return out.add(name, std::move(picture));
}

}  // namespace

bool shape_is_modest(std::string_view text) {
  int depth = 0;
  size_t values = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ',' || c == ':') ++values;
    if (depth > kMaxDepth || values > kMaxValues) return false;
  }
  return true;
}

Failure parse_json_body(Bytes body, std::span<const PartRule> rules, Form& out) {
  const std::string_view text = as_text(body);
  if (!shape_is_modest(text)) return malformed("The JSON is nested or split up too much.");
  if (!is_plain_text(text)) return not_json();
  JsonReader reader(text);
  if (!reader.take('{')) return malformed("The body must be a JSON object.");
  if (reader.take('}')) return reader.at_end() ? Failure() : not_json();
  do {
    WipedString name;
    if (!reader.take_string(name) || !reader.take(':')) return not_json();
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&](const PartRule& r) { return std::string_view(name) == r.name; });
    if (rule == rules.end()) return unknown_part(rules);
    VISAGE_HTTP_TRY(take_member(*rule, reader, out));
  } while (reader.take(','));
  return reader.take('}') && reader.at_end() ? Failure() : not_json();
}

}  // namespace visage::sidecar::http
