// A request body as the API takes it: the first line is the Content-Type, the rest the body.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "sidecar/http/form.h"
#include "sidecar/http/utf8.h"
#include "target.h"

namespace {

int depth(const nlohmann::json& value) {
  int deepest = 0;
  if (value.is_structured())
    for (const auto& item : value) deepest = std::max(deepest, depth(item));
  return deepest + 1;
}

}  // namespace

VISAGE_FUZZ_TARGET(http_body) {
  using namespace visage;
  using namespace visage::sidecar;
  using namespace visage::sidecar::http;
  constexpr size_t kMaxPicture = 4096;
  constexpr PartRule kRules[] = {{"subject", PartKind::kText, true},
                                 {"image", PartKind::kPicture, true},
                                 {"channel", PartKind::kText, false},
                                 {"secret", PartKind::kSecret, false},
                                 {"context", PartKind::kObject, false}};
  const std::string_view text = as_text(input);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return;
  BodyType type{};
  std::string boundary;
  if (!body_type_of(text.substr(0, line), type, boundary)) return;

  const WipedBytes body(input.begin() + static_cast<long>(line) + 1, input.end());
  Form form;
  if (const Failure failure = parse_form(type, boundary, body, kRules, kMaxPicture, form)) {
    fuzz::require(!failure->detail.empty() && is_plain_text(render_problem(*failure, "id")));
    return;
  }
  fuzz::require(form.has("subject") && !form.text("subject").empty() && is_plain_text(form.text("subject")));
  const Bytes picture = form.bytes("image");
  fuzz::require(!picture.empty() && picture.size() <= kMaxPicture);
  // Whatever our reader of JSON takes, another parser takes too, and reads the same.
  if (type == BodyType::kJson) {
    const auto document = nlohmann::json::parse(body.begin(), body.end(), nullptr, false);
    fuzz::require(document.is_object() && document.value("subject", "") == form.text("subject") &&
                  document.value("channel", "") == form.text("channel") &&
                  document.value("secret", "") == form.text("secret"));
  }
  if (type == BodyType::kMultipart)
    fuzz::require(picture.data() >= body.data() &&
                  picture.data() + picture.size() <= body.data() + body.size());
  // What the API does with a context: parse and write it again, on a worker's stack.
  if (form.bytes("context").empty()) return;
  auto context = nlohmann::json::parse(as_text(form.bytes("context")), nullptr, false);
  // Deep values cost stack here, in the database and in whatever reads the ledger.
  fuzz::require(context.is_object() && depth(context) <= 20);
  context["caller"] = "somebody";
  fuzz::require(!context.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).empty());
}
