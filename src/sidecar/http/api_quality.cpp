// POST /v1/quality: what the measures say about a picture, for operators. Nothing is sealed, nothing stored.
#include <nlohmann/json.hpp>

#include "sidecar/http/api.h"
#include "sidecar/http/quality_json.h"
#include "sidecar/quality/profile.h"

namespace visage::sidecar::http {
namespace {

constexpr PartRule kParts[] = {{"image", PartKind::kPicture, true},
                               {"depth", PartKind::kPicture, false},
                               {"depth_frame", PartKind::kObject, false},
                               {"profile", PartKind::kText, false},
                               {"marks", PartKind::kText, false}};

Problem wrong_frame() {
  return {
      ProblemCode::kInvalidValue,
      "Part \"depth_frame\" takes width, height, unit_mm, fx, fy, cx, cy and skew_ms, all numbers in range; "
      "focal lengths come in pairs."};
}

Failure read_frame(std::string_view text, quality::DepthSettings& out) {
  if (text.empty()) return {};
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  for (const auto& [name, value] : document.items()) {
    if (!value.is_number()) return wrong_frame();
    const double number = value.get<double>();
    if (!(std::abs(number) < 1e6)) return wrong_frame();
    if (name == "width" || name == "height") {
      if (!value.is_number_integer()) return wrong_frame();
      (name == "width" ? out.width : out.height) = static_cast<int>(number);
    } else if (name == "unit_mm") {
      out.unit_mm = static_cast<float>(number);
    } else if (name == "fx" || name == "fy") {
      (name == "fx" ? out.fx : out.fy) = static_cast<float>(number);
    } else if (name == "cx" || name == "cy") {
      (name == "cx" ? out.cx : out.cy) = static_cast<float>(number);
    } else if (name == "skew_ms") {
      out.skew_ms = number;
    } else {
      return wrong_frame();
    }
  }
  if (!quality::plausible(out)) return wrong_frame();
  return {};
}

std::string profile_names() {
  std::string names;
  for (const quality::Profile& profile : quality::profiles())
    names += (names.empty() ? "" : ", ") + std::string(profile.name);
  return names;
}

}  // namespace

Failure Api::quality(Exchange& exchange) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  BodyPlan plan;
  VISAGE_HTTP_TRY(plan_body(exchange, options_.max_picture, 2, plan));
  if (!service_.has_models())
    return Problem{ProblemCode::kNotReady, "The models are not loaded. Tell the operator; /ready says which.",
                   5};
  VISAGE_HTTP_TRY(service_.admits());
  WipedBytes body;
  VISAGE_HTTP_TRY(take_body(exchange, body));
  Form form;
  VISAGE_HTTP_TRY(parse_form(plan.type, plan.boundary, body, kParts, options_.max_picture, form));
  const quality::Profile* profile = quality::find_profile(form.text("profile", "iifaa"));
  if (profile == nullptr)
    return Problem{ProblemCode::kInvalidValue, "Part \"profile\" is one of " + profile_names() + "."};
  capture::InspectRequest request;
  request.image = form.bytes("image");
  request.depth = form.bytes("depth");
  if (request.depth.empty() && form.has("depth_frame"))
    return Problem{ProblemCode::kMissingPart,
                   "Part \"depth_frame\" describes a part \"depth\", which is missing."};
  VISAGE_HTTP_TRY(read_frame(as_text(form.bytes("depth_frame")), request.depth_settings));
  capture::Inspection seen;
  VISAGE_HTTP_TRY(service_.inspect(request, seen));
  const std::string marks = form.text("marks", "false");
  if (marks != "true" && marks != "false")
    return Problem{ProblemCode::kInvalidValue, "Part \"marks\" is true or false."};
  answer_json(exchange, 200,
              render_quality(seen, *profile, exchange.id, marks == "true" ? Marks::kShown : Marks::kLeftOut));
  return {};
}

}  // namespace visage::sidecar::http
