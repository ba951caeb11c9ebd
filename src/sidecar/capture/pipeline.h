// From the bytes of a picture to the contents of a probe.
//
// decode → detector → main face → mesh → alignment → feature, and passive liveness and the quality measures
// beside it. Samples stay in memory: every picture, crop and tensor that this code owns is wiped when it is
// freed. What the runtime and the image codecs hold inside a call is wiped by visaged (app/wiping_heap.cpp)
// alone.
//
// One Pipeline serves all threads: process() is const, takes no lock and keeps nothing between calls. Each
// call computes on the caller's thread (Settings::threads = 1), so the caller's worker count sets the
// parallelism.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/wiping_allocator.h"
#include "core/challenge/challenge.h"
#include "core/probe/probe.h"
#include "sidecar/capture/failure.h"
#include "sidecar/capture/limits.h"
#include "sidecar/liveness/fusion.h"
#include "sidecar/quality/depth_settings.h"
#include "sidecar/quality/measure.h"

namespace visage::quality {
struct Profile;
}
namespace visage::liveness {
struct Observation;
}

namespace visage::capture {

struct Settings {
  std::string models;  // directory that `make setup` fills
  int threads = 1;     // of the runtime, inside one call
  Limits limits{};
  // Called before and after each model with words for the log: "loading sface.onnx (1/4)".
  std::function<void(const std::string&)> progress{};
};

struct Options {
  // Registration: refuse kSeveralFaces instead of taking the main face.
  bool require_single_face = false;
  // Only faces of at least this share of the main face's area count for that: smaller ones are bystanders in
  // the background, whom the measures SingleFacePresent and FacesFound report all the same.
  float bystander_ratio = 0.1f;
};

// A rectangle in pixels of the upright image (EXIF orientation applied); may reach past the edges.
struct Region {
  float x = 0, y = 0, width = 0, height = 0;
};

struct Spot {
  float x = 0, y = 0;  // as Region
};

struct Timings {  // milliseconds
  double decode = 0, detect = 0, mesh = 0, expression = 0, quality = 0, align = 0, feature = 0, liveness = 0;
  double networks = 0;  // of the above, inside the networks themselves

  double total() const { return decode + detect + mesh + expression + quality + align + feature + liveness; }
};

// The result of one picture. Wiped when it goes out of scope, hence not copyable: pass it by reference.
class Capture {
 public:
  Capture() = default;
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() { wipe(&contents, sizeof contents); }

  // Feature, model, image digest, one passive liveness value and the quality measures; ready for
  // probe::seal().
  probe::Contents contents{};
  int image_width = 0, image_height = 0;  // px, upright
  int faces_found = 0;
  Region main_face;
  Timings timings;
};

// What inspect() is asked: quality alone, without a feature.
struct InspectRequest {
  Bytes image;
  Bytes depth;  // aligned with the image; empty: none
  quality::DepthSettings depth_settings{};
  // Of this profile's checks a picture is drawn; null: no picture.
  const quality::Profile* draw = nullptr;
  bool measure = true;  // false: where the face is and what it does, without the quality measures
};

// Wiped when it goes out of scope as far as it shows the person: the drawing, and where the face's points
// are.
struct Inspection {
  int image_width = 0, image_height = 0;  // px, upright
  int faces_found = 0;
  Region main_face;
  quality::Readings readings{};
  std::vector<Spot, WipingAllocator<Spot>> points;  // of the mesh; empty: no face
  // The head's own axes (right in the picture, down, towards the camera) from the bridge of the nose; all the
  // same where the pose is not known.
  Spot origin, axes[3];
  std::array<float, challenge::kMovements> extents{};      // of each movement: liveness::extent()
  std::vector<uint8_t, WipingAllocator<uint8_t>> drawing;  // PNG
  Timings timings;
  const char* failed_part = "image";  // or "depth"
};

// One of several frames of a capture.
struct SequenceFrame {
  Bytes image;
  int64_t time_us = 0;  // on the sender's clock
  int light_step = -1;  // of the colour sequence that was shown; -1: none
};

// Several frames of one capture, each reduced to numbers as it came. Of the pictures only one is kept: the
// one that the feature will come from, so far. Wiped when it goes out of scope.
struct Sequence {
  Sequence();
  ~Sequence();
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  struct Frames;
  std::unique_ptr<Frames> frames;
};

struct SequenceRequest {
  challenge::Challenge asked{};  // movements, in order
  Bytes light_nonce;             // the session's, when its colours were shown; empty: they were not
  Bytes depth;                   // aligned with the first frame; empty: none
  quality::DepthSettings depth_settings{};
  std::string_view device;      // the camera's label; empty: not told
  int64_t most_us = 0;          // time that there was to take the frames; 0: not known
  liveness::Demand demanded{};  // without these no pass
};

// What the methods of liveness say; docs/liveness.md. Reasons are for the record, not for the client.
struct Judgement {
  std::vector<liveness::Outcome> outcomes;
  liveness::Outcome verdict = liveness::undetermined(liveness::Method::kPassive, liveness::Reason::kNone);
};

class Pipeline {
 public:
  struct Loaded {
    std::unique_ptr<Pipeline> pipeline;  // null when anything is missing
    std::vector<std::string> missing;    // one line each: the file, and what is wrong with it
  };
  // Loads the runtime and every model; tries all of them, so that `missing` is complete. Does not throw.
  static Loaded load(const Settings& settings);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Nothing when it succeeded. On a failure `out` holds what was known by then (timings, size, faces_found)
  // and no feature. Does not throw.
  std::optional<Failure> process(Bytes image, const Options& options, Capture& out) const;

  // Looks at one more frame of a capture. A failure of a frame is that of the capture, except that some
  // frames may lack the face.
  std::optional<Failure> add(const SequenceFrame& frame, Sequence& sequence) const;
  // Judges what was added, and makes the probe's contents from the best frame, with one liveness value a
  // method.
  std::optional<Failure> process(const Sequence& sequence, const SequenceRequest& request,
                                 const Options& options, Capture& out, Judgement& judgement) const;
  // One frame as the methods see it; kNoFace is no failure here.
  std::optional<Failure> observe(const SequenceFrame& frame, liveness::Observation& out) const;

  // As process(), but only looks: no feature, no liveness, nothing that could become a probe.
  std::optional<Failure> inspect(const InspectRequest& request, Inspection& out) const;

  // The id that this pipeline's features carry: the network's name and the version of the preprocessing.
  const std::string& model_id() const;

 private:
  struct Parts;
  explicit Pipeline(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace visage::capture
