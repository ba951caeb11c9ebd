#include "sidecar/page/links.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace visage::sidecar::page {
namespace {

using http::Problem;
using http::ProblemCode;

// Flows of one face. The others need a document, or nothing that a camera could give.
constexpr std::string_view kDriven[] = {"register", "verify", "add_reference", "replace_reference"};
constexpr size_t kMaxName = 63;  // as visage.notice has them
constexpr size_t kMaxPurposes = 32;

Problem wrong() {
  return {ProblemCode::kInvalidValue,
          "Part \"capture_page\" is an object of \"notice\", the name of one, and \"purposes\", a list of "
          "names."};
}

bool is_name(const nlohmann::json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return !text.empty() && text.size() <= kMaxName;
}

}  // namespace

http::Failure read_wanted(std::string_view json, std::string_view purpose, Wanted& out) {
  if (std::find(std::begin(kDriven), std::end(kDriven), purpose) == std::end(kDriven))
    return Problem{ProblemCode::kInvalidValue,
                   "A capture page is for register, verify, add_reference or replace_reference."};
  const nlohmann::json document = nlohmann::json::parse(json, nullptr, false);
  for (const auto& [name, value] : document.items()) {
    if (name == "notice" && is_name(value)) {
      out.notice = value.get<std::string>();
    } else if (name == "purposes" && value.is_array() && !value.empty() && value.size() <= kMaxPurposes &&
               std::all_of(value.begin(), value.end(), is_name)) {
      out.purposes = value.get<std::vector<std::string>>();
    } else {
      return wrong();
    }
  }
  if (out.notice.empty() && !out.purposes.empty()) return wrong();
  return {};
}

Status Links::make(const Ticket& ticket, std::string& url) const {
  std::string token;
  VISAGE_TRY(tickets_.seal(ticket, Use::kLink, token));
  url = origin_ + "/capture#" + token;
  return {};
}

}  // namespace visage::sidecar::page
