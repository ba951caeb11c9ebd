#include "sidecar/http/quality_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace visage::sidecar::http {
namespace {

using Json = nlohmann::ordered_json;

// Six digits: what a float holds, without its tail of binary.
double rounded(float value) {
  if (value == 0) return 0;
  const double unit = std::pow(10, 5 - std::floor(std::log10(std::abs(static_cast<double>(value)))));
  return std::round(static_cast<double>(value) * unit) / unit;
}

Json finite_or_null(float value) {
  return std::isfinite(value) ? Json(rounded(value)) : Json();
}

Json limit_of(const quality::Limit* limit) {
  if (limit == nullptr) return {};
  return {{"scale", limit->scale == quality::Scale::kNative ? "native" : "scalar"},
          {"low", finite_or_null(limit->low)},
          {"high", finite_or_null(limit->high)},
          {"doubt", rounded(limit->doubt)},
          {"required", limit->required}};
}

Json check_of(const quality::Check& check) {
  const quality::Definition& definition = *check.definition;
  const bool has_scalar = check.reading.assessed && check.reading.scalar != probe::kScalarUndetermined;
  return {{"measure", definition.name},
          {"id", static_cast<int>(definition.id)},
          {"clause", definition.clause.empty() ? Json() : Json(definition.clause)},
          {"native", check.reading.assessed ? Json(rounded(check.reading.native)) : Json()},
          {"unit", definition.unit},
          {"scalar", has_scalar ? Json(check.reading.scalar) : Json()},
          {"limit", limit_of(check.limit)},
          {"status", quality::verdict_name(check.verdict)},
          {"method", definition.method},
          {"advice", check.verdict == quality::Verdict::kFail ? Json(definition.advice) : Json()}};
}

// To draw over the picture, in its pixels: a tenth is finer than anybody sees.
Json marks_of(const capture::Inspection& seen) {
  const auto place = [](capture::Spot spot) {
    const auto tenths = [](float v) { return std::round(10 * static_cast<double>(v)) / 10; };
    return Json::array({tenths(spot.x), tenths(spot.y)});
  };
  Json points = Json::array(), axes = Json::array();
  for (const capture::Spot& spot : seen.points) points.push_back(place(spot));
  for (const capture::Spot& spot : seen.axes) axes.push_back(place(spot));
  return {{"points", points}, {"origin", place(seen.origin)}, {"axes", axes}};
}

}  // namespace

std::string render_quality(const capture::Inspection& seen, const quality::Profile& profile,
                           std::string_view request_id, Marks marks) {
  const quality::Judgement judgement = quality::judge(seen.readings, profile);
  Json checks = Json::array();
  for (const quality::Check& check : judgement.checks) checks.push_back(check_of(check));
  const capture::Region& face = seen.main_face;
  Json document = {
      {"profile", profile.name},
      {"status", quality::verdict_name(judgement.verdict)},
      {"image", {{"width", seen.image_width}, {"height", seen.image_height}}},
      {"face",
       {{"x", rounded(face.x)},
        {"y", rounded(face.y)},
        {"width", rounded(face.width)},
        {"height", rounded(face.height)}}},
      {"faces", seen.faces_found},
      {"checks", checks},
      {"request_id", request_id.empty() ? Json() : Json(request_id)},
  };
  if (marks == Marks::kShown) document["marks"] = marks_of(seen);
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace visage::sidecar::http
