// An authority's answer to a request that is always the same: nothing counts that its key did not sign for
// that request. The first line is taken as the whole statement, without JSON around it, when it does not
// begin with "{".
#include <algorithm>

#include "sidecar/adapter/identity.h"
#include "sidecar/adapter/otp_answer.h"
#include "sidecar/http/form.h"
#include "target.h"

VISAGE_FUZZ_TARGET(adapter_identity) {
  using namespace visage;
  using namespace visage::sidecar;
  using namespace visage::sidecar::adapter;
  // Nothing here signs, so whatever counts is a forgery. The key is that of RFC 8032 7.1, test 1.
  static const std::string kKey =
      "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END "
      "PUBLIC KEY-----\n";
  constexpr size_t kMaxPhoto = 4096;
  Statement said{};
  if (parse_statement(as_text(input), said).ok()) {
    fuzz::require(said.signed_text.ends_with('\n') && as_text(input).starts_with(said.signed_text));
    fuzz::require(said.issued_at > 0 && said.signature.size > 0 &&
                  said.signature.size <= statement::kMaxSignature);
    fuzz::require(std::is_sorted(said.vouched.begin(), said.vouched.end()));
    fuzz::require(said.authority.find('\n') == said.authority.npos &&
                  said.reference.find('\n') == said.reference.npos);
  }
  Fields fields;
  if (!read_fields(as_text(input), fields)) {
    fuzz::require(!fields.empty() && fields.size() <= 32);
    // What we send is JSON, whatever the values are.
    http::Form form;
    const IdentityRequest request{"a \"name\" \\", "00000000-0000-4000-8000-000000000000", {}, &fields};
    constexpr http::PartRule kRules[] = {{"protocol", http::PartKind::kText, true},
                                         {"authority", http::PartKind::kText, true},
                                         {"request", http::PartKind::kText, true},
                                         {"nonce", http::PartKind::kText, true},
                                         {"fields", http::PartKind::kObject, true}};
    const WipedString text = render_request(request);
    const WipedBytes body(text.begin(), text.end());
    const bool plain = !http::parse_form(http::BodyType::kJson, "", body, kRules, 1, form);
    Fields back;
    if (plain)
      fuzz::require(!read_fields(as_text(form.bytes("fields")), back) &&
                    digest_of(back) == digest_of(fields));
  }
  const WipedBytes body(input.begin(), input.end());
  const Fields asked{{"id_number", WipedString("1")}};
  const IdentityRequest request{"stand-in", "00000000-0000-4000-8000-000000000000", {}, &asked};
  IdentityAnswer answer;
  const Doubt doubt = read_answer(body, request, {kKey, 60}, 1790000000, kMaxPhoto, answer);
  fuzz::require(doubt && !name(*doubt).empty() && answer.statement.empty() && answer.photo.empty());
  OtpAnswer otp;
  if (!read_otp_answer(body, "r", true, otp)) fuzz::require(otp.assertion.empty());
  if (!read_otp_answer(body, "r", false, otp)) fuzz::require(otp.done == !otp.assertion.empty());
}
