// The flows, without HTTP: pictures in, verdict out.
//
//   gate → capture → seal → (slot given back) → SQL
//
// Decides nothing about a face: liveness and quality floors, thresholds and limits are policy in the
// database.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>
#include <vector>

#include "sidecar/app/metrics.h"
#include "sidecar/capture/pipeline.h"
#include "sidecar/db/flows.h"
#include "sidecar/db/questions.h"
#include "sidecar/flow/frame_desk.h"
#include "sidecar/flow/gate.h"
#include "sidecar/flow/sealer.h"
#include "sidecar/http/problem.h"

namespace visage::sidecar {

struct StageTime {
  std::string_view stage;
  double milliseconds;
};

struct FlowRequest {
  db::Flow flow{};
  Bytes image;                          // of flows that take a probe
  Bytes document;                       // the photo of an identity document; kCompare only
  Bytes nonce;                          // of the session that the picture is for; empty: none
  Bytes frames;                         // a bundle of sealed frames instead of `image`; FrameDesk
  Bytes page_key;                       // the public point that they were sealed with, hexadecimal
  std::string device;                   // the camera's label, of frames
  db::FlowArguments arguments;          // without probes
  std::function<void()> drop_pictures;  // called once they are not needed; may be empty
  std::vector<StageTime> times;         // run() adds to it
};

class FlowService {
 public:
  struct Parts {
    Gate& gate;
    Sealer& sealer;
    db::Pool& pool;
    Metrics& metrics;
    FrameDesk& frames;
  };
  explicit FlowService(Parts parts) : parts_(parts) {}

  // Null until the models are loaded.
  void use(const capture::Pipeline* pipeline) { pipeline_ = pipeline; }
  bool has_models() const { return pipeline_ != nullptr; }
  // BUSY when a request would be turned away now.
  http::Failure admits() const;

  http::Failure run(FlowRequest& request, db::Outcome& out);
  // What a page seals its frames for.
  http::Failure frame_point(liveness::PublicPoint& out);
  // Quality alone: nothing is sealed and the database is not asked.
  http::Failure inspect(const capture::InspectRequest& request, capture::Inspection& out);
  // A question that is no flow; `json` is NOT_FOUND's when there is nothing of that name.
  http::Failure ask(db::Question question, const std::vector<std::string>& arguments, std::string& json);

 private:
  http::Failure make_probes(FlowRequest& request, WipedBytes& probe, WipedBytes& document);
  http::Failure make_probe(FlowRequest& request, Bytes image, const char* part, WipedBytes& out);
  http::Failure make_probe_of_frames(FlowRequest& request, WipedBytes& out);
  http::Failure read_challenge(const std::string& session, challenge::Challenge& out);
  http::Failure seal(FlowRequest& request, const capture::Capture& capture, WipedBytes& out);
  void observe(FlowRequest& request, std::string_view stage, double milliseconds);

  Parts parts_;
  std::atomic<const capture::Pipeline*> pipeline_{nullptr};
};

}  // namespace visage::sidecar
