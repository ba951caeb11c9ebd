// application/json: one flat object, pictures as standard base64 (RFC 4648 section 4).
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "sidecar/http/base64.h"
#include "sidecar/http/form.h"

namespace visage::sidecar::http {
namespace {

// Strings live in memory that is wiped, the lexer's token buffer among them: one of them is a picture.
using WipedJson = nlohmann::basic_json<std::map, std::vector, WipedString>;

constexpr int kMaxDepth = 16;
constexpr size_t kMaxValues = 4096;

Failure malformed(std::string detail) {
  return Problem{ProblemCode::kMalformedJson, std::move(detail)};
}

Failure add_member(const PartRule* rule, const std::string& key, const WipedJson& value, Form& out) {
  if (rule != nullptr && rule->kind == PartKind::kObject) {
    if (!value.is_object()) return malformed("Member \"" + key + "\" must be an object.");
    const WipedString text = value.dump();
    return out.add(key, WipedBytes(text.begin(), text.end()));
  }
  if (!value.is_string()) {
    if (rule == nullptr) return out.add(key, Bytes());  // reported as unknown by the caller
    return malformed("Member \"" + key + "\" must be a string.");
  }
  const auto& text = value.get_ref<const WipedString&>();
  if (rule == nullptr || rule->kind == PartKind::kText)
    return out.add(key, WipedBytes(text.begin(), text.end()));
  WipedBytes picture;
  if (!decode_base64({text.data(), text.size()}, picture))
    return Problem{ProblemCode::kMalformedBase64, "Member \"" + key +
                                                      "\" must be padded standard base64 without "
                                                      "line ends or a \"data:\" prefix."};
  return out.add(key, std::move(picture));
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
  if (!shape_is_modest(as_text(body))) return malformed("The JSON is nested or split up too much.");
  bool doubled = false;
  std::vector<WipedString> seen;
  const auto watch = [&](int depth, WipedJson::parse_event_t event, WipedJson& parsed) {
    if (depth == 1 && event == WipedJson::parse_event_t::key) {
      const auto& key = parsed.get_ref<const WipedString&>();
      doubled = doubled || std::find(seen.begin(), seen.end(), key) != seen.end();
      seen.push_back(key);
    }
    return true;
  };
  WipedJson document = WipedJson::parse(body.begin(), body.end(), watch, false);
  if (document.is_discarded()) return malformed("The body is not JSON in UTF-8.");
  if (!document.is_object()) return malformed("The body must be a JSON object.");
  if (doubled) return Problem{ProblemCode::kDuplicatePart, "Send each member once."};
  for (const auto& [key, value] : document.items()) {
    const std::string name(key.begin(), key.end());
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const PartRule& r) { return r.name == name; });
    VISAGE_HTTP_TRY(add_member(rule == rules.end() ? nullptr : &*rule, name, value, out));
  }
  return {};
}

}  // namespace visage::sidecar::http
