#include "sidecar/page/links.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

namespace visage::sidecar::page {
namespace {

using http::Problem;
using http::ProblemCode;

// Flows of one face, and its end. The others need nothing that a person at a camera could give.
constexpr std::string_view kDriven[] = {"register",          "verify",   "compare", "add_reference",
                                        "replace_reference", "identify", "cancel"};
// Their sessions name nobody, so nobody's factors can be shown in them.
constexpr std::string_view kNobodys[] = {"compare", "identify"};
// What a person can type. A certificate is a card's.
constexpr std::string_view kTyped[] = {"password", "totp", "otp"};
constexpr std::string_view kCandidates[] = {"1", "2", "3", "4", "5"};  // as visage.identify() has them
constexpr size_t kMaxName = 63;                                        // as visage.notice has them
constexpr size_t kMaxPurposes = 32;

Problem wrong() {
  return {ProblemCode::kInvalidValue,
          "Part \"capture_page\" is an object of \"notice\", the name of one, \"purposes\", a list of "
          "names, \"factors\", a list of password, totp, otp and, to cancel, face, but none to compare or "
          "identify, and, to identify, \"max_candidates\", \"1\" to \"5\"."};
}

bool is_name(const nlohmann::json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return !text.empty() && text.size() <= kMaxName;
}

bool contains(std::span<const std::string_view> list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Each kind once: the database counts different ones. A face is a factor where the flow compares none itself.
bool read_factors(const nlohmann::json& value, std::string_view purpose, std::vector<std::string>& out) {
  if (!value.is_array() || (contains(kNobodys, purpose) && !value.empty())) return false;
  for (const nlohmann::json& kind : value) {
    if (!is_name(kind)) return false;
    const auto& name = kind.get_ref<const std::string&>();
    if (!contains(kTyped, name) && !(name == "face" && purpose == "cancel")) return false;
    if (std::find(out.begin(), out.end(), name) != out.end()) return false;
    out.push_back(name);
  }
  return true;
}

}  // namespace

http::Failure read_wanted(std::string_view json, std::string_view purpose, Wanted& out) {
  if (!contains(kDriven, purpose))
    return Problem{ProblemCode::kInvalidValue,
                   "A capture page is for register, verify, compare, add_reference, replace_reference, "
                   "identify or cancel."};
  const nlohmann::json document = nlohmann::json::parse(json, nullptr, false);
  for (const auto& [name, value] : document.items()) {
    if (name == "notice" && is_name(value)) {
      out.notice = value.get<std::string>();
    } else if (name == "purposes" && value.is_array() && !value.empty() && value.size() <= kMaxPurposes &&
               std::all_of(value.begin(), value.end(), is_name)) {
      out.purposes = value.get<std::vector<std::string>>();
    } else if (name == "factors" && read_factors(value, purpose, out.factors)) {
      continue;
    } else if (name == "max_candidates" && purpose == "identify" && value.is_string() &&
               contains(kCandidates, value.get_ref<const std::string&>())) {
      out.max_candidates = value.get<std::string>();
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
