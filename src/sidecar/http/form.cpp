#include "sidecar/http/form.h"

#include <strings.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sidecar/http/utf8.h"

namespace visage::sidecar::http {
namespace {

constexpr size_t kMaxText = 1024;
constexpr size_t kMaxObject = 16 * 1024;
constexpr size_t kMaxSecret = 32 * 1024;

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

Failure check_part(const PartRule& rule, Bytes content, size_t max_picture) {
  const std::string name = quoted(rule.name);
  if (rule.kind == PartKind::kPicture || rule.kind == PartKind::kFrames) {
    const size_t limit = rule.kind == PartKind::kFrames ? kFramesPictures * max_picture : max_picture;
    if (content.empty())
      return Problem{ProblemCode::kInvalidValue, "Part " + name + " is empty; send a picture."};
    if (content.size() > limit)
      return Problem{ProblemCode::kBodyTooLarge,
                     "Part " + name + " is over " + std::to_string(limit) + " bytes; send a smaller file."};
    return {};
  }
  const size_t limit = rule.kind == PartKind::kText     ? kMaxText
                       : rule.kind == PartKind::kObject ? kMaxObject
                                                        : kMaxSecret;
  if (content.size() > limit)
    return Problem{ProblemCode::kInvalidValue,
                   "Part " + name + " is over " + std::to_string(limit) + " bytes."};
  if (rule.required && content.empty())
    return Problem{ProblemCode::kInvalidValue, "Part " + name + " is empty."};
  if (!is_plain_text(as_text(content)))
    return Problem{ProblemCode::kInvalidValue, "Part " + name + " must be UTF-8 without control characters."};
  if (rule.kind == PartKind::kObject && !shape_is_modest(as_text(content)))
    return Problem{ProblemCode::kInvalidValue, "Part " + name + " is nested or split up too much."};
  if (rule.kind == PartKind::kObject && !content.empty() &&
      !nlohmann::json::parse(as_text(content), nullptr, false).is_object())
    return Problem{ProblemCode::kInvalidValue, "Part " + name + " must be a JSON object."};
  return {};
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

bool body_type_of(std::string_view content_type, BodyType& type, std::string& boundary) {
  const size_t semicolon = std::min(content_type.find(';'), content_type.size());
  const std::string_view essence = trimmed(content_type.substr(0, semicolon));
  if (same_word(essence, "application/json")) {
    type = BodyType::kJson;
    return true;
  }
  if (!same_word(essence, "multipart/form-data")) return false;
  type = BodyType::kMultipart;
  std::string_view rest = content_type.substr(semicolon);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view parameter = trimmed(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.find(';'), rest.size()));
    constexpr std::string_view kName = "boundary=";
    if (parameter.size() <= kName.size() || !same_word(parameter.substr(0, kName.size()), kName)) continue;
    std::string_view value = parameter.substr(kName.size());
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    boundary = value;
  }
  return true;
}

Bytes Form::bytes(std::string_view name) const {
  for (const Part& part : parts_)
    if (part.name == name) return part.content;
  return {};
}

bool Form::has(std::string_view name) const {
  return std::any_of(parts_.begin(), parts_.end(), [name](const Part& part) { return part.name == name; });
}

Failure unknown_part(std::span<const PartRule> rules) {
  std::string known;
  for (const PartRule& rule : rules) known += (known.empty() ? "" : ", ") + std::string(rule.name);
  return Problem{ProblemCode::kUnknownPart,
                 "A part has a name that is not known here; the parts are " + known + "."};
}

Failure Form::check_names(std::span<const PartRule> rules) const {
  for (const Part& part : parts_)
    if (std::none_of(rules.begin(), rules.end(),
                     [&](const PartRule& rule) { return part.name == rule.name; }))
      return unknown_part(rules);
  return {};
}

std::string Form::text(std::string_view name, std::string_view otherwise) const {
  return std::string(has(name) ? as_text(bytes(name)) : otherwise);
}

Failure Form::add(std::string_view name, Bytes content) {
  if (has(name)) return Problem{ProblemCode::kDuplicatePart, "Send each part once."};
  parts_.push_back({WipedString(name), content});
  return {};
}

Failure Form::add(std::string_view name, WipedBytes&& content) {
  owned_.push_back(std::move(content));
  return add(name, Bytes(owned_.back()));
}

Failure check_form(const Form& form, std::span<const PartRule> rules, size_t max_picture) {
  VISAGE_HTTP_TRY(form.check_names(rules));
  for (const PartRule& rule : rules) {
    if (form.has(rule.name))
      VISAGE_HTTP_TRY(check_part(rule, form.bytes(rule.name), max_picture));
    else if (rule.required)
      return Problem{ProblemCode::kMissingPart, "Send part " + quoted(rule.name) + "."};
  }
  return {};
}

Failure parse_form(BodyType type, std::string_view boundary, const WipedBytes& body,
                   std::span<const PartRule> rules, size_t max_picture, Form& out) {
  VISAGE_HTTP_TRY(type == BodyType::kJson ? parse_json_body(body, rules, out)
                                          : parse_multipart(boundary, body, out));
  return check_form(out, rules, max_picture);
}

}  // namespace visage::sidecar::http
