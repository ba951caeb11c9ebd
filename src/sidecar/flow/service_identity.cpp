// FlowService, with the photo of an identity document: what is kept of it, and what an authority said.
// [B.1] [6.6d] [6.6f]
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "sidecar/flow/capture_problem.h"
#include "sidecar/flow/service.h"
#include "sidecar/quality/profile.h"

namespace visage::sidecar {
namespace {

using http::Failure;
using http::Problem;
using http::ProblemCode;

constexpr std::string_view kProfile = "photo-import";
constexpr size_t kMostNamed = 4;

// The names of the measures that are wrong, of the standard.
std::string faults_of(const quality::Judgement& judgement) {
  std::string text;
  size_t named = 0;
  for (const quality::Check& check : judgement.checks) {
    if (check.verdict != quality::Verdict::kFail || named == kMostNamed) continue;
    text += (text.empty() ? "" : ", ") + std::string(check.definition->name);
    ++named;
  }
  return text;
}

}  // namespace

Failure FlowService::keep_photo(const std::string& session, Bytes image, std::shared_ptr<KeptPhoto> photo,
                                std::chrono::seconds how_long) {
  capture::InspectRequest look;
  look.image = image;
  capture::Inspection seen;
  VISAGE_HTTP_TRY(inspect(look, seen));
  const quality::Judgement judgement = quality::judge(seen.readings, *quality::find_profile(kProfile));
  if (judgement.verdict == quality::Verdict::kFail)
    return Problem{ProblemCode::kPoorPhoto, "The photo is too poor for a comparison: " +
                                                faults_of(judgement) + "; send a better one."};
  {
    const Gate::Permit permit = parts_.gate.enter();
    if (!permit) return Problem{ProblemCode::kBusy, "Too many pictures are being processed; try again.", 1};
    capture::Capture capture;
    const auto failure = pipeline_.load()->process(image, {}, capture);
    if (failure) return capture_problem(*failure, "document");
    photo->contents = capture.contents;
  }
  if (parts_.photos.keep(session, std::move(photo), PhotoDesk::Clock::now() + how_long)) return {};
  return Problem{ProblemCode::kBusy, "Too many photos wait for their captures; try again later.", 30};
}

std::optional<std::string> FlowService::photographed(const std::string& session) const {
  const std::shared_ptr<const KeptPhoto> photo = parts_.photos.find(session);
  if (photo) return photo->subject;
  return {};
}

Failure FlowService::record_identity(const std::string& subject, const IdentityCheck& check, bool accepted,
                                     const std::string& comparison, std::string& json) {
  return ask(db::Question::kRecordIdentity,
             {subject, check.authority, accepted ? "true" : "false", nlohmann::json(check.fields).dump(),
              comparison, check.reference, check.answer_digest, check.fields_digest, check.photo_digest},
             json);
}

Failure FlowService::check_photo(const FlowRequest& request, const KeptPhoto* photo) const {
  if (request.flow == db::Flow::kCompare && request.document.empty() && photo == nullptr)
    return Problem{ProblemCode::kMissingPart,
                   "Send part \"document\": the photo to compare with; or send it before, to /v1/id-photos."};
  if (request.flow != db::Flow::kRegister || photo == nullptr) return {};
  if (photo->subject == request.arguments.subject) return {};
  return Problem{ProblemCode::kInvalidValue,
                 "Part \"subject\" is another one than the ID photo of this session was sent for."};
}

// The record comes before the answer: what was not recorded is not told.
Failure FlowService::finish_comparison(const KeptPhoto& photo, const db::Outcome& outcome) {
  if (!photo.check) return {};
  std::string json;
  return record_identity(photo.subject, *photo.check, true, outcome.transaction_id, json);
}

}  // namespace visage::sidecar
