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
#include "sidecar/flow/capture_desk.h"
#include "sidecar/flow/frame_desk.h"
#include "sidecar/flow/gate.h"
#include "sidecar/flow/photo_desk.h"
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
  Bytes document;                       // kCompare only: the document's photo; empty: the session's kept one
  Bytes nonce;                          // of the session that the picture is for; empty: none
  Bytes frames;                         // a bundle of sealed frames instead of `image`; FrameDesk
  Bytes end;                            // instead, of frames that came one by one: their sealed end
  Bytes page_key;                       // the public point that they were sealed with, hexadecimal
  std::string device;                   // the camera's label, of frames
  db::FlowArguments arguments;          // without probes
  std::function<void()> drop_pictures;  // called once they are not needed; may be empty
  std::vector<StageTime> times;         // run() adds to it
};

// One sealed frame of a session's capture.
struct FrameRequest {
  const std::string& session;
  Bytes nonce;     // of the session
  Bytes page_key;  // as in FlowRequest
  Bytes frame;
};

class FlowService {
 public:
  struct Parts {
    Gate& gate;
    Sealer& sealer;
    db::Pool& pool;
    Metrics& metrics;
    FrameDesk& frames;
    PhotoDesk& photos;
    CaptureDesk& captures;
  };
  explicit FlowService(Parts parts);

  // Null until the models are loaded.
  void use(const capture::Pipeline* pipeline) { pipeline_ = pipeline; }
  bool has_models() const { return pipeline_ != nullptr; }
  // BUSY when a request would be turned away now.
  http::Failure admits() const;

  http::Failure run(FlowRequest& request, db::Outcome& out);
  // What a page seals its frames for.
  http::Failure frame_point(liveness::PublicPoint& out);
  // One frame while the next is taken, so that at the end of the capture little is left to look at. Says
  // nothing of what it shows. A frame that is out of its place, or that nobody can look at, ends the capture.
  http::Failure add_frame(const FrameRequest& request);
  // Of a capture that nobody will end.
  void drop_frames(const std::string& session) { parts_.captures.drop(session); }
  // Quality alone: nothing is sealed and the database is not asked.
  http::Failure inspect(const capture::InspectRequest& request, capture::Inspection& out);
  // Looks at a document's photo (profile photo-import) and keeps what it shows for the session's call, with
  // which the living person is then compared. POOR_PHOTO names what is wrong with it.
  http::Failure keep_photo(const std::string& session, Bytes image, std::shared_ptr<KeptPhoto> photo,
                           std::chrono::seconds how_long);
  // Whom the photo that is kept for a session was sent for; nothing where none is.
  std::optional<std::string> photographed(const std::string& session) const;
  // What an authority said goes into the database. `comparison` is the transaction id of one; empty: none.
  http::Failure record_identity(const std::string& subject, const IdentityCheck& check, bool accepted,
                                const std::string& comparison, std::string& json);
  // A question that is no flow; `json` is NOT_FOUND's when there is nothing of that name.
  http::Failure ask(db::Question question, const std::vector<std::string>& arguments, std::string& json);

 private:
  // `live` and, of a photo that came with the call, `document`.
  http::Failure take_captures(FlowRequest& request, capture::Capture& live, capture::Capture& document);
  http::Failure take_capture(FlowRequest& request, Bytes image, const char* part, capture::Capture& out);
  // service_frames.cpp
  http::Failure take_capture_of_frames(FlowRequest& request, capture::Capture& out);
  http::Failure take_capture_of_bundle(FlowRequest& request, capture::Capture& out);
  http::Failure judge_frames(FlowRequest& request, std::span<const liveness::FrameHeader> headers,
                             capture::SequenceRequest sequence, const capture::Sequence& seen,
                             capture::Capture& out);
  http::Failure call_database(FlowRequest& request, db::Flow flow, const db::FlowArguments& arguments,
                              db::Outcome& out);
  // service_identity.cpp
  http::Failure check_photo(const FlowRequest& request, const KeptPhoto* photo) const;
  http::Failure finish_comparison(const KeptPhoto& photo, const db::Outcome& outcome);
  http::Failure read_challenge(const std::string& session, challenge::Challenge& out);
  http::Failure seal(FlowRequest& request, const probe::Contents& contents, Bytes nonce, WipedBytes& out);
  void observe(FlowRequest& request, std::string_view stage, double milliseconds);

  Parts parts_;
  std::atomic<const capture::Pipeline*> pipeline_{nullptr};
};

}  // namespace visage::sidecar
