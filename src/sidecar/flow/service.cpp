#include "sidecar/flow/service.h"

#include <spdlog/spdlog.h>

#include "sidecar/flow/capture_problem.h"
#include "sidecar/flow/sqlstate.h"

namespace visage::sidecar {
namespace {

using Clock = std::chrono::steady_clock;
using http::Failure;
using http::Problem;
using http::ProblemCode;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

void FlowService::observe(FlowRequest& request, std::string_view stage, double milliseconds) {
  request.times.push_back({stage, milliseconds});
  parts_.metrics.observe("visaged_stage_seconds", label("stage", stage), milliseconds / 1000);
}

Failure FlowService::admits() const {
  if (parts_.gate.full()) return busy();
  return {};
}

Failure FlowService::take_capture(FlowRequest& request, Bytes image, const char* part,
                                  capture::Capture& out) {
  const capture::Options options{.require_single_face = db::stores_face(request.flow)};
  const auto failure = pipeline_.load()->process(image, options, out);
  const capture::Timings& t = out.timings;
  for (const auto& [stage, milliseconds] : {std::pair{"decode", t.decode},
                                            {"detect", t.detect},
                                            {"mesh", t.mesh},
                                            {"expression", t.expression},
                                            {"quality", t.quality},
                                            {"align", t.align},
                                            {"feature", t.feature},
                                            {"liveness", t.liveness}})
    if (milliseconds > 0) observe(request, stage, milliseconds);
  if (t.networks > 0) {
    // Inside the stages above, so not one of them.
    request.times.push_back({"networks", t.networks});
    parts_.metrics.observe("visaged_networks_seconds", "", t.networks / 1000);
  }
  if (failure) return capture_problem(*failure, part);
  return {};
}

Failure FlowService::seal(FlowRequest& request, const probe::Contents& contents, Bytes nonce,
                          WipedBytes& out) {
  const auto start = Clock::now();
  const Status status = parts_.sealer.seal(contents, nonce, out);
  observe(request, "seal", ms_since(start));
  if (status.ok()) return {};
  spdlog::error("sealing failed: {}", status.message);
  return Problem{ProblemCode::kNotReady, "No probe can be sealed now. Tell the operator; /ready says why."};
}

Failure FlowService::take_captures(FlowRequest& request, capture::Capture& live, capture::Capture& document) {
  if (pipeline_ == nullptr) return no_models();
  const auto start = Clock::now();
  const Gate::Permit permit = parts_.gate.enter();
  observe(request, "wait", ms_since(start));
  if (!permit) return busy();
  if (!request.end.empty())
    VISAGE_HTTP_TRY(take_capture_of_frames(request, live));
  else if (!request.frames.empty())
    VISAGE_HTTP_TRY(take_capture_of_bundle(request, live));
  else
    VISAGE_HTTP_TRY(take_capture(request, request.image, "image", live));
  if (!request.document.empty())
    VISAGE_HTTP_TRY(take_capture(request, request.document, "document", document));
  return {};
}

Failure FlowService::call_database(FlowRequest& request, db::Flow flow, const db::FlowArguments& arguments,
                                   db::Outcome& out) {
  const auto start = Clock::now();
  const db::Trouble trouble = db::call_flow(parts_.pool, flow, arguments, out);
  observe(request, "database", ms_since(start));
  if (!trouble) {
    parts_.metrics.count("visaged_outcomes_total", label("flow", db::flow_name(flow)) + "," +
                                                       label("decision", out.decision) + "," +
                                                       label("reason", out.reason));
    return {};
  }
  spdlog::warn("database: {} {}", trouble->sqlstate, trouble->message);
  return database_problem(*trouble);
}

Failure FlowService::run(FlowRequest& request, db::Outcome& out) {
  if (db::probes_of(request.flow) == 0) return call_database(request, request.flow, request.arguments, out);
  const std::shared_ptr<const KeptPhoto> photo = parts_.photos.find(request.arguments.session);
  VISAGE_HTTP_TRY(check_photo(request, photo.get()));
  const bool with_kept = photo && (request.flow == db::Flow::kRegister || request.document.empty());
  // One call: who is on the photo is who is registered, and a call that is made again is one call.
  const db::Flow flow =
      with_kept && request.flow == db::Flow::kRegister ? db::Flow::kRegisterWithDocument : request.flow;
  WipedBytes probe, document;
  {
    capture::Capture live, shown;
    VISAGE_HTTP_TRY(take_captures(request, live, shown));
    if (request.drop_pictures) request.drop_pictures();
    VISAGE_HTTP_TRY(seal(request, live.contents, request.nonce, probe));
    if (db::probes_of(flow) > 1)
      VISAGE_HTTP_TRY(seal(request, with_kept ? photo->contents : shown.contents, request.nonce, document));
  }
  request.arguments.probe = probe;
  request.arguments.document = document;
  VISAGE_HTTP_TRY(call_database(request, flow, request.arguments, out));
  if (!with_kept || out.decision == "refuse") return {};
  if (request.flow == db::Flow::kCompare) VISAGE_HTTP_TRY(finish_comparison(*photo, out));
  parts_.photos.drop(request.arguments.session);  // the session is used up
  return {};
}

Failure FlowService::inspect(const capture::InspectRequest& request, capture::Inspection& out) {
  const capture::Pipeline* pipeline = pipeline_.load();
  if (pipeline == nullptr) return no_models();
  const Gate::Permit permit = parts_.gate.enter();
  if (!permit) return busy();
  const auto failure = pipeline->inspect(request, out);
  parts_.metrics.observe("visaged_stage_seconds", label("stage", "quality"), out.timings.quality / 1000);
  if (failure) return capture_problem(*failure, out.failed_part);
  return {};
}

Failure FlowService::ask(db::Question question, const std::vector<std::string>& arguments,
                         std::string& json) {
  bool found = false;
  const db::Trouble trouble = db::ask(parts_.pool, question, arguments, found, json);
  if (!trouble && !found) return Problem{ProblemCode::kNotFound, "There is none of this name."};
  if (!trouble) return {};
  spdlog::warn("database: {} {}", trouble->sqlstate, trouble->message);
  return database_problem(*trouble);
}

}  // namespace visage::sidecar
