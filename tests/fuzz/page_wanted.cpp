// Part "capture_page" of a new session: first line the session's purpose, the rest the part.
#include <set>

#include "sidecar/http/form.h"
#include "sidecar/http/utf8.h"
#include "sidecar/page/links.h"
#include "target.h"

VISAGE_FUZZ_TARGET(page_wanted) {
  using namespace visage;
  using namespace visage::sidecar;
  const std::string_view text = as_text(input);
  const size_t line = text.find('\n');
  if (line == std::string_view::npos) return;
  const std::string_view purpose = text.substr(0, line), json = text.substr(line + 1);
  // As the API does: nothing else than a modest object comes so far.
  constexpr http::PartRule kRules[] = {{"capture_page", http::PartKind::kObject, true}};
  http::Form form;
  fuzz::require(!form.add("capture_page", input.subspan(line + 1)));
  if (http::check_form(form, kRules, 1)) return;

  page::Wanted wanted;
  if (const http::Failure failure = page::read_wanted(json, purpose, wanted)) {
    fuzz::require(!failure->detail.empty() && http::is_plain_text(failure->detail));
    return;
  }
  const auto is_name = [](const std::string& name) { return !name.empty() && name.size() <= 63; };
  fuzz::require(purpose != "drop_reference" && purpose != "unlock");
  fuzz::require(wanted.max_candidates == "1" || purpose == "identify");
  fuzz::require(wanted.notice.empty() ? wanted.purposes.empty() : is_name(wanted.notice));
  fuzz::require(wanted.purposes.size() <= 32);
  for (const std::string& name : wanted.purposes) fuzz::require(is_name(name));
  const std::set<std::string> factors(wanted.factors.begin(), wanted.factors.end());
  fuzz::require(factors.size() == wanted.factors.size());
  for (const std::string& factor : factors)
    fuzz::require(factor == "password" || factor == "totp" || factor == "otp" ||
                  (factor == "face" && purpose == "cancel"));
  fuzz::require(factors.empty() || (purpose != "compare" && purpose != "identify"));
}
