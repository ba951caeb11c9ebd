// POST /v1/id-photos: the photo of somebody's identity document, uploaded or an authority's, for the call of
// one session; and the authority's word on the person. [B.1] [6.6d] [6.6f] docs/adapters.md
#include <nlohmann/json.hpp>

#include "core/crypto/engine.h"
#include "sidecar/adapter/authority.h"
#include "sidecar/http/api.h"

namespace visage::sidecar::http {
namespace {

using db::Question;
using Json = nlohmann::ordered_json;

constexpr PartRule kParts[] = {{"session", PartKind::kText, true},
                               {"subject", PartKind::kText, true},
                               {"authority", PartKind::kText, false},
                               {"fields", PartKind::kObject, false},
                               {"document", PartKind::kPicture, false}};

std::string hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

// What is wrong with the picture of an authority is not the caller's to mend.
bool is_of_picture(ProblemCode code) {
  return status_of(code) == 422;
}

Failure check_parts(const Form& form, const adapter::Authority* authority) {
  const bool asks = form.has("authority");
  if (asks != form.has("fields"))
    return Problem{ProblemCode::kMissingPart, "Parts \"authority\" and \"fields\" go together."};
  if (!asks && !form.has("document"))
    return Problem{ProblemCode::kMissingPart,
                   "Send part \"authority\" with \"fields\", or part \"document\", or all."};
  if (asks && (authority == nullptr || !authority->enabled()))
    return Problem{ProblemCode::kInvalidValue,
                   "No authority is asked from here. Ask the operator for authority-url."};
  if (asks && form.text("authority") != authority->name())
    return Problem{ProblemCode::kInvalidValue, "Part \"authority\" names none that is asked from here."};
  return {};
}

IdentityCheck check_of(const adapter::Authority& authority, const adapter::Fields& fields,
                       const adapter::IdentityAnswer& answer) {
  adapter::Digest digest;
  crypto::sha256(as_bytes(answer.statement), digest.data());
  return {authority.name(), answer.fields, answer.reference, hex(digest), hex(adapter::digest_of(fields)),
          std::string()};
}

}  // namespace

// What the session is for, which must be a call that a photo belongs to, and how long it may still be used.
Failure Api::check_photo_session(const std::string& session, std::string& purpose,
                                 std::chrono::seconds& left) const {
  VISAGE_HTTP_TRY(check_session(session));
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kPhotoSession, {session}, json));
  const auto found = nlohmann::json::parse(json, nullptr, false);
  purpose = found.at("purpose").get<std::string>();
  if (purpose != "register" && purpose != "compare")
    return Problem{ProblemCode::kInvalidValue, "An ID photo is for a session of register or compare."};
  left = std::chrono::seconds(found.at("seconds").get<int64_t>());
  if (!found.at("open").get<bool>() || left <= std::chrono::seconds(0))
    return Problem{ProblemCode::kInvalidValue, "The session is over; open another one."};
  return {};
}

// A daemon that has not got the photo, as after a restart, must register nobody without it.   [8.2.3c]
Failure Api::require_document(const std::string& session) const {
  std::string json;
  VISAGE_HTTP_TRY(service_.ask(Question::kRequireDocument, {session}, json));
  if (nlohmann::json::parse(json, nullptr, false).at("required").get<bool>()) return {};
  return Problem{ProblemCode::kInvalidValue, "The session is over; open another one."};
}

Failure Api::id_photo(Exchange& exchange) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  WipedBytes body;
  Form form;
  VISAGE_HTTP_TRY(take_form(exchange, kParts, true, body, form));
  VISAGE_HTTP_TRY(check_parts(form, options_.authority));
  const std::string session = form.text("session"), subject = form.text("subject");
  std::string purpose;
  std::chrono::seconds left;
  VISAGE_HTTP_TRY(check_photo_session(session, purpose, left));

  adapter::IdentityAnswer answer;
  std::optional<IdentityCheck> check;
  if (form.has("authority")) {
    adapter::Fields fields;
    VISAGE_HTTP_TRY(adapter::read_fields(as_text(form.bytes("fields")), fields));
    if (const adapter::Doubt doubt = options_.authority->ask(fields, answer))
      return adapter::undetermined("The authority", *doubt);
    check = check_of(*options_.authority, fields, answer);
  }
  const bool denied = check && !answer.vouched;
  const bool theirs = !denied && !answer.photo.empty();
  // A comparison is recorded when it was made. A registration makes its own: it is to rest on a record that
  // names the photo, and does so with no other photo, nor without one.
  const bool later = theirs && purpose == "compare";
  const Bytes photo = theirs ? Bytes(answer.photo) : form.bytes("document");
  if (!denied && !photo.empty()) {
    auto kept = std::make_shared<KeptPhoto>();
    kept->subject = subject;
    if (later) kept->check = check;
    const Failure failure = service_.keep_photo(session, photo, std::move(kept), left);
    if (failure && theirs && is_of_picture(failure->code))
      return adapter::undetermined("The authority", adapter::Reason::kUnusablePhoto);
    if (failure) return failure;
    if (purpose == "register") VISAGE_HTTP_TRY(require_document(session));
  }
  std::string record = "{\"record\": null}";
  if (check && !later) {
    if (theirs) {
      adapter::Digest digest;
      crypto::sha256(photo, digest.data());
      check->photo_digest = hex(digest);
    }
    VISAGE_HTTP_TRY(service_.record_identity(subject, *check, answer.vouched, "", record));
  }

  Json document = {{"identity", !check   ? "unasked"
                                : denied ? "denied"
                                         : "vouched"},
                   {"authority", check ? Json(check->authority) : Json()},
                   {"fields", check ? Json(check->fields) : Json::array()},
                   {"reference", check ? Json(check->reference) : Json()},
                   {"statement", check ? Json(answer.statement) : Json()},
                   {"photo", denied || photo.empty() ? Json() : Json(theirs ? "authority" : "document")},
                   {"record", Json::parse(record, nullptr, false).at("record")}};
  answer_json(exchange, 200,
              render_answer(document.dump(-1, ' ', false, Json::error_handler_t::replace), exchange));
  return {};
}

}  // namespace visage::sidecar::http
