// FlowService, with several sealed frames in place of a picture: all at once, or one by one.
#include <spdlog/spdlog.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "sidecar/capture/stopwatch.h"
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

Problem not_ours(const Status& why = {}) {
  if (!why.ok()) spdlog::info("frames: {}", why.message);
  return {ProblemCode::kInvalidValue,
          "Part \"frames\" was not sealed for this daemon and session, or was sent before; ask for "
          "/v1/frame-key and capture again."};
}

capture::SequenceFrame sequence_frame(const liveness::FrameHeader& header, Bytes picture) {
  return {picture, header.time_us, header.light_step == liveness::kNoLight ? -1 : header.light_step};
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

Failure FlowService::add_frame(const FrameRequest& request) {
  liveness::PublicPoint page;
  OpenedFrame opened;
  if (!read_point(request.page_key, page)) return not_ours();
  if (const Status status = parts_.frames.open_one(page, request.nonce, request.frame, opened); !status.ok())
    return not_ours(status);
  const capture::Pipeline* const pipeline = pipeline_.load();
  if (pipeline == nullptr) return no_models();
  const Gate::Permit permit = parts_.gate.enter();
  if (!permit) return busy();
  // Only who could seal comes here, and what was busy before this line can be sent again.
  std::shared_ptr<CaptureUnderWay> under_way = parts_.captures.find(request.session, page);
  if (!under_way) {
    if (!parts_.captures.has_room(request.session)) return busy();
    if (!parts_.frames.use(page)) return not_ours();
    under_way = parts_.captures.begin(request.session, page);
  }
  const std::unique_lock lock(under_way->mutex, std::try_to_lock);
  if (!lock) return busy();  // the frame before is being looked at
  if (under_way->over) return not_ours();
  const auto end = [&] {
    under_way->over = true;
    parts_.captures.drop(request.session, *under_way);
  };
  under_way->headers.push_back(opened.header);
  if (const Status status =
          liveness::check_sequence(under_way->headers, request.nonce, liveness::kNotCounted);
      !status.ok() || opened.header.kind != liveness::FrameKind::kPicture) {
    end();
    return not_ours(status);
  }
  double milliseconds = 0;
  std::optional<capture::Failure> failure;
  {
    const capture::Stopwatch watch(milliseconds);
    failure = pipeline->add(sequence_frame(opened.header, opened.content), under_way->seen);
  }
  parts_.metrics.observe("visaged_stage_seconds", label("stage", "frame"), milliseconds / 1000);
  if (!failure) return {};
  end();
  return capture_problem(*failure, "frame");
}

Failure FlowService::take_capture_of_frames(FlowRequest& request, capture::Capture& out) {
  liveness::PublicPoint page;
  OpenedFrame end;
  if (!read_point(request.page_key, page)) return not_ours();
  if (const Status status = parts_.frames.open_one(page, request.nonce, request.end, end); !status.ok())
    return not_ours(status);
  const std::shared_ptr<CaptureUnderWay> under_way = parts_.captures.find(request.arguments.session, page);
  if (!under_way) return not_ours();
  // Judged once, whatever comes of it.
  parts_.captures.drop(request.arguments.session, *under_way);
  const std::lock_guard lock(under_way->mutex);
  if (std::exchange(under_way->over, true)) return not_ours();
  if (const Status status = liveness::check_end(end.header, request.nonce, under_way->headers.size());
      !status.ok())
    return not_ours(status);
  return judge_frames(request, under_way->headers, {}, under_way->seen, out);
}

Failure FlowService::take_capture_of_bundle(FlowRequest& request, capture::Capture& out) {
  liveness::PublicPoint page;
  OpenedFrames opened;
  if (!read_point(request.page_key, page)) return not_ours();
  if (const Status status = parts_.frames.open(page, request.nonce, request.frames, opened); !status.ok())
    return not_ours(status);
  capture::Sequence seen;
  double milliseconds = 0;
  std::optional<capture::Failure> failure;
  for (size_t i = 0; i < opened.pictures.size() && !failure; ++i) {
    const capture::Stopwatch watch(milliseconds);
    failure = pipeline_.load()->add(sequence_frame(opened.headers[i], opened.pictures[i]), seen);
  }
  observe(request, "frames", milliseconds);
  if (failure) return capture_problem(*failure, "frames");
  capture::SequenceRequest sequence;
  sequence.depth = opened.depth;
  sequence.depth_settings.skew_ms =
      (static_cast<double>(opened.depth_time_us) - static_cast<double>(opened.headers.front().time_us)) /
      1000;
  return judge_frames(request, opened.headers, sequence, seen, out);
}

Failure FlowService::judge_frames(FlowRequest& request, std::span<const liveness::FrameHeader> headers,
                                  capture::SequenceRequest sequence, const capture::Sequence& seen,
                                  capture::Capture& out) {
  bool moves = false;  // there are frames without a colour: those in which movements are shown
  for (const liveness::FrameHeader& header : headers) {
    const bool lit = header.light_step != liveness::kNoLight;
    if (lit) sequence.light_nonce = request.nonce;
    moves = moves || !lit;
  }
  // A capture of colours alone shows no movements, and must answer the session by its colours instead. A
  // channel that wants the one or the other has a floor for it.
  if (moves) VISAGE_HTTP_TRY(read_challenge(request.arguments.session, sequence.asked));
  sequence.device = request.device;
  sequence.demanded = {Method::kPassive, Method::kContinuity, Method::kInjection};
  if (sequence.asked.count > 0) sequence.demanded.add(Method::kChallenge);
  if (!moves) sequence.demanded.add(Method::kLight);

  capture::Judgement judgement;
  const capture::Options options{.require_single_face = db::stores_face(request.flow)};
  double milliseconds = 0;
  std::optional<capture::Failure> failure;
  {
    const capture::Stopwatch watch(milliseconds);
    failure = pipeline_.load()->process(seen, sequence, options, out, judgement);
  }
  observe(request, "liveness", milliseconds);
  if (failure) return capture_problem(*failure, "frames");
  // The record of why; who captured learns the decision only.
  for (const liveness::Outcome& outcome : judgement.outcomes)
    parts_.metrics.count(kLivenessTotal, labels_of(outcome.method, outcome.verdict, outcome.reason));
  return {};
}

}  // namespace visage::sidecar
