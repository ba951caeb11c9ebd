#include "sidecar/http/flow_shape.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace visage::sidecar::http {
namespace {

using db::Flow;

constexpr PartRule kSubject{"subject", PartKind::kText, true};
constexpr PartRule kImage{"image", PartKind::kPicture, false};  // or frames
constexpr PartRule kFrames{"frames", PartKind::kFrames, false};
constexpr PartRule kPageKey{"page_key", PartKind::kText, false};
constexpr PartRule kDevice{"device", PartKind::kText, false};
constexpr PartRule kDocument{"document", PartKind::kPicture, false};  // the session may have one
constexpr PartRule kKind{"kind", PartKind::kText, true};
constexpr PartRule kSecret{"secret", PartKind::kSecret, true};
constexpr PartRule kMaxCandidates{"max_candidates", PartKind::kText, false};
constexpr PartRule kSession{"session", PartKind::kText, false};
constexpr PartRule kNonce{"nonce", PartKind::kText, false};
constexpr PartRule kChannel{"channel", PartKind::kText, false};
constexpr PartRule kScenario{"scenario", PartKind::kText, false};
constexpr PartRule kContext{"context", PartKind::kObject, false};
constexpr PartRule kBizId{"biz_id", PartKind::kText, false};

constexpr PartRule kFaceOf[] = {kSubject, kImage,   kFrames,   kPageKey, kDevice, kSession,
                                kNonce,   kChannel, kScenario, kContext, kBizId};
constexpr PartRule kTwoFaces[] = {kImage, kFrames,  kPageKey,  kDevice,  kDocument, kSession,
                                  kNonce, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kFace[] = {kImage, kFrames,  kPageKey,  kDevice,  kSession,
                              kNonce, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kAnyFace[] = {kImage, kFrames,  kPageKey,  kDevice,  kMaxCandidates, kSession,
                                 kNonce, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kNoFace[] = {kSession, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kOfLocked[] = {kSubject, {"session", PartKind::kText, true}, kChannel, kScenario, kContext,
                                  kBizId};
constexpr PartRule kNewFactor[] = {kKind, kSecret, kSession, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kNewSecret[] = {kSecret, kSession, kChannel, kScenario, kContext, kBizId};
constexpr PartRule kShown[] = {
    kKind, {"evidence", PartKind::kSecret, false}, {"image", PartKind::kPicture, false}, kNonce, kContext,
    kBizId};

constexpr std::string_view kOfSubject[] = {"subject"};
constexpr std::string_view kOfReference[] = {"subject", "reference"};
constexpr std::string_view kOfFactor[] = {"subject", "kind"};
constexpr std::string_view kOfSession[] = {"session"};

constexpr FlowShape kShapes[] = {
    {Flow::kRegister, kFaceOf, {}},
    {Flow::kVerify, kFaceOf, {}},
    {Flow::kCompare, kTwoFaces, {}},
    {Flow::kAddReference, kFace, kOfSubject},
    {Flow::kDropReference, kNoFace, kOfReference},
    {Flow::kReplaceReferences, kFace, kOfSubject},
    {Flow::kReplaceReference, kFace, kOfReference},
    {Flow::kCancel, kNoFace, kOfSubject},
    {Flow::kUnlock, kOfLocked, {}},
    {Flow::kEnrolFactor, kNewFactor, kOfSubject},
    {Flow::kReplaceFactor, kNewSecret, kOfFactor},
    {Flow::kRemoveFactor, kNoFace, kOfFactor},
    {Flow::kPresentFactor, kShown, kOfSession},
    {Flow::kIdentify, kAnyFace, {}},
};

Problem missing(const char* name, const char* why) {
  return {ProblemCode::kMissingPart, std::string("Send part \"") + name + "\": " + why + "."};
}

Failure decode_nonce(std::string_view text, Nonce& out) {
  bool valid = text.size() == 2 * out.size() && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
  for (size_t i = 0; valid && i < out.size(); ++i)
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, out[i], 16);
  if (valid) return {};
  return Problem{ProblemCode::kInvalidValue,
                 "Part \"nonce\" must be the session's, in 64 hexadecimal digits."};
}

// A face is shown by a picture of the session, every other factor by evidence.
Failure check_shown(const Form& form) {
  const bool face = form.text("kind") == "face";
  if (face && !form.has("image")) return missing("image", "it shows a factor of kind \"face\"");
  if (!face && !form.has("evidence")) return missing("evidence", "it shows the factor");
  if (form.has(face ? "evidence" : "image"))
    return Problem{ProblemCode::kInvalidValue,
                   "A factor of kind \"face\" has part \"image\", every other kind \"evidence\"."};
  return {};
}

// Either one picture or the sealed frames of a session's capture.
Failure read_frames(const Form& form, FlowRequest& out) {
  out.frames = form.bytes("frames");
  out.page_key = form.bytes("page_key");
  out.device = form.text("device");
  if (out.frames.empty()) {
    if (!form.has("image")) return missing("image", "it shows the face; or part \"frames\", of a session");
    if (form.has("page_key") || form.has("device"))
      return missing("frames", "page_key and device describe them");
    return {};
  }
  if (form.has("image"))
    return Problem{ProblemCode::kInvalidValue, "Send part \"image\" or part \"frames\", not both."};
  if (!form.has("session")) return missing("session", "frames are sealed for one");
  if (form.text("page_key").size() != 2 * liveness::kPointSize)
    return missing("page_key",
                   "the public point that the frames were sealed with, in 130 hexadecimal digits");
  return {};
}

}  // namespace

const FlowShape& shape_of(Flow flow) {
  return *std::find_if(std::begin(kShapes), std::end(kShapes),
                       [flow](const FlowShape& shape) { return shape.flow == flow; });
}

Failure read_request(const Exchange& exchange, const FlowShape& shape,
                     const std::vector<std::string>& segments, const Form& form, Nonce& nonce,
                     FlowRequest& out) {
  out.flow = shape.flow;
  if (shape.flow == Flow::kPresentFactor) {
    VISAGE_HTTP_TRY(check_shown(form));
    if (form.has("image")) out.flow = Flow::kPresentFace;
  }
  const auto value = [&](std::string_view name, std::string_view otherwise = {}) {
    const auto place = std::find(shape.path.begin(), shape.path.end(), name);
    if (place != shape.path.end()) return segments[static_cast<size_t>(place - shape.path.begin())];
    return form.text(name, otherwise);
  };
  out.image = form.bytes("image");
  out.document = form.bytes("document");
  out.arguments.subject = value("subject");
  out.arguments.reference = value("reference");
  out.arguments.session = value("session");
  out.arguments.kind = value("kind");
  out.arguments.secret = form.bytes(shape.flow == Flow::kPresentFactor ? "evidence" : "secret");
  out.arguments.max_candidates = value("max_candidates", "1");
  out.arguments.channel = value("channel", "default");
  out.arguments.scenario = value("scenario", "default");
  out.arguments.context = build_context(exchange, form);
  if (db::probes_of(out.flow) == 0) return {};
  VISAGE_HTTP_TRY(read_frames(form, out));
  const bool in_session = !out.arguments.session.empty();
  if (in_session && !form.has("nonce"))
    return missing("nonce", "a picture of a session is sealed with its nonce");
  if (!in_session && form.has("nonce")) return missing("session", "the nonce is of one");
  if (!in_session) return {};
  VISAGE_HTTP_TRY(decode_nonce(form.text("nonce"), nonce));
  out.nonce = nonce;
  return {};
}

std::string build_context(const Exchange& exchange, const Form& form) {
  nlohmann::json context = nlohmann::json::object();
  const Bytes given = form.bytes("context");
  if (!given.empty()) context = nlohmann::json::parse(as_text(given), nullptr, false);
  for (const char* const name : {"biz_id", "session"})
    if (const std::string value = form.text(name); !value.empty()) context[name] = value;
  context["caller"] = exchange.caller;
  context["request_id"] = exchange.id;
  context["trace_id"] = exchange.trace.trace_id;
  return context.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace visage::sidecar::http
