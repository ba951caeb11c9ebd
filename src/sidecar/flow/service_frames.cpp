// FlowService, with several sealed frames in place of a picture.
#include <spdlog/spdlog.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "sidecar/flow/capture_problem.h"
#include "sidecar/flow/service.h"

namespace visage::sidecar {
namespace {

using http::Failure;
using http::Problem;
using http::ProblemCode;
using liveness::Method;

bool read_point(Bytes hex, liveness::PublicPoint& out) {
  const char* const text = reinterpret_cast<const char*>(hex.data());
  if (hex.size() != 2 * out.size()) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const auto [end, error] = std::from_chars(text + 2 * i, text + 2 * i + 2, out[i], 16);
    if (error != std::errc() || end != text + 2 * i + 2) return false;
  }
  return true;
}

Problem not_ours() {
  return {ProblemCode::kInvalidValue,
          "Part \"frames\" was not sealed for this daemon and session, or was sent before; ask for "
          "/v1/frame-key and capture again."};
}

constexpr char kLivenessTotal[] = "visaged_liveness_total";

std::string labels_of(Method method, liveness::Verdict verdict, liveness::Reason reason) {
  return label("method", liveness::name(method)) + "," + label("verdict", liveness::name(verdict)) + "," +
         label("reason", liveness::info(reason).name);
}

}  // namespace

FlowService::FlowService(Parts parts) : parts_(parts) {
  // There from the start: a rate needs a sample before the first failure.
  for (Method method : {Method::kPassive, Method::kChallenge, Method::kContinuity, Method::kLight,
                        Method::kDepth, Method::kInjection, Method::kTexture})
    parts_.metrics.count(kLivenessTotal, labels_of(method, liveness::Verdict::kPass, liveness::Reason::kNone),
                         0);
}

Failure FlowService::frame_point(liveness::PublicPoint& out) {
  const Status status = parts_.frames.point(out);
  if (status.ok()) return {};
  spdlog::error("{}", status.message);
  return Problem{ProblemCode::kInternal, "No key for frames can be made now."};
}

// What was asked comes from the database, never from who answers it.
Failure FlowService::read_challenge(const std::string& session, challenge::Challenge& out) {
  std::string json;
  VISAGE_HTTP_TRY(ask(db::Question::kReadChallenge, {session}, json));
  const auto document = nlohmann::json::parse(json, nullptr, false);
  const Status status = challenge::parse(document.value("challenge", std::string()), out);
  if (status.ok()) return {};
  spdlog::error("session: {}", status.message);
  return Problem{ProblemCode::kInternal, "The session asks for movements that this daemon does not know."};
}

Failure FlowService::take_capture_of_frames(FlowRequest& request, capture::Capture& out) {
  liveness::PublicPoint page;
  OpenedFrames opened;
  if (!read_point(request.page_key, page)) return not_ours();
  if (const Status status = parts_.frames.open(page, request.nonce, request.frames, opened); !status.ok()) {
    spdlog::info("frames: {}", status.message);
    return not_ours();
  }
  capture::SequenceRequest sequence;
  std::vector<capture::SequenceFrame> frames;
  bool moves = false;  // there are frames without a colour: those in which movements are shown
  for (size_t i = 0; i < opened.pictures.size(); ++i) {
    const liveness::FrameHeader& header = opened.headers[i];
    const bool lit = header.light_step != liveness::kNoLight;
    frames.push_back({opened.pictures[i], header.time_us, lit ? header.light_step : -1});
    if (lit) sequence.light_nonce = request.nonce;
    moves = moves || !lit;
  }
  // A capture of colours alone shows no movements, and must answer the session by its colours instead. A
  // channel that wants the one or the other has a floor for it.
  if (moves) VISAGE_HTTP_TRY(read_challenge(request.arguments.session, sequence.asked));
  sequence.frames = frames;
  sequence.depth = opened.depth;
  sequence.device = request.device;
  sequence.demanded = {Method::kPassive, Method::kContinuity, Method::kInjection};
  if (sequence.asked.count > 0) sequence.demanded.add(Method::kChallenge);
  if (!moves) sequence.demanded.add(Method::kLight);

  capture::Judgement judgement;
  const capture::Options options{.require_single_face = db::stores_face(request.flow)};
  const auto failure = pipeline_.load()->process(sequence, options, out, judgement);
  observe(request, "liveness", out.timings.liveness);
  if (failure) return capture_problem(*failure, "frames");
  // The record of why; who captured learns the decision only.
  for (const liveness::Outcome& outcome : judgement.outcomes)
    parts_.metrics.count(kLivenessTotal, labels_of(outcome.method, outcome.verdict, outcome.reason));
  return {};
}

}  // namespace visage::sidecar
