// Several frames of a capture: what each shows, then the methods of liveness over all of them.
#include <cmath>

#include "sidecar/capture/metadata.h"
#include "sidecar/capture/parts.h"
#include "sidecar/capture/sequence.h"
#include "sidecar/liveness/continuity.h"
#include "sidecar/liveness/depth_points.h"
#include "sidecar/liveness/injection.h"
#include "sidecar/liveness/light.h"
#include "sidecar/liveness/movement.h"
#include "sidecar/liveness/passive.h"
#include "sidecar/liveness/pixels.h"
#include "sidecar/liveness/texture.h"

namespace visage::capture {
namespace {

Failure unforeseen() {
  return {FailureCode::kFeatureFailed, "out of memory or an unforeseen picture"};
}

// The frame to compare by looks into the camera, eyes open, mouth shut, in no colour of the screen's.
float oddness(const liveness::Observation& frame) {
  if (frame.faces == 0) return std::numeric_limits<float>::infinity();
  const float tinted = frame.light_step > 0 ? 10.0f : 0.0f;  // step 0 is black: the room's own light
  return tinted + std::abs(frame.pose.yaw) + std::abs(frame.pose.pitch) +
         20 * (frame.shapes[kEyeBlinkLeft] + frame.shapes[kEyeBlinkRight] + frame.shapes[kJawOpen]);
}

// The map's own measures: a channel may have floors on them. Of the first frame, which it is aligned with,
// only numbers are left, so the picture is a blank one.   [6.1.3d, 7.5g, 7.5h]
void keep_depth(const liveness::Observation& frame, const quality::DepthFrame& depth, probe::Contents& out) {
  const cv::Mat blank = cv::Mat::zeros(frame.size, CV_8UC3);
  quality::Readings readings{};
  quality::assess_depth(quality::View({blank, {}, {}, frame.mesh, nullptr, &depth}), readings);
  quality::add(readings, out);
}

}  // namespace

Sequence::Sequence() : frames(std::make_unique<Frames>()) {}
Sequence::~Sequence() = default;

std::optional<Failure> Pipeline::observe(const SequenceFrame& frame, liveness::Observation& out) const {
  try {
    return parts_->observe(frame, out);
  } catch (const std::exception&) {
    return unforeseen();
  }
}

std::optional<Failure> Pipeline::add(const SequenceFrame& frame, Sequence& sequence) const {
  try {
    return parts_->add(frame, *sequence.frames);
  } catch (const std::exception&) {
    return unforeseen();
  }
}

std::optional<Failure> Pipeline::process(const Sequence& sequence, const SequenceRequest& request,
                                         const Options& options, Capture& out, Judgement& judgement) const {
  try {
    return parts_->judge(*sequence.frames, request, options, out, judgement);
  } catch (const std::exception&) {
    return unforeseen();
  }
}

std::optional<Failure> Pipeline::Parts::observe(const SequenceFrame& frame,
                                                liveness::Observation& out) const {
  Sight sight;
  Timings timings;
  const std::optional<Failure> failure = look(frame.image, sight, timings);
  if (failure && failure->code != FailureCode::kNoFace) return failure;
  out.time_us = frame.time_us;
  out.light_step = frame.light_step;
  out.size = sight.picture.size();
  out.faces = static_cast<int>(sight.faces.size());
  if (out.faces > 0) {
    out.box = sight.faces.front().box;
    out.mesh = sight.mesh;
    out.pose = quality::estimate_pose(sight.mesh);
    if (const Status status = blendshapes->read(sight.mesh, out.shapes); !status.ok()) return broken(status);
    if (const Status status = liveness->judge(sight.picture, out.box, out.live); !status.ok())
      return broken(status);
    cv::Mat aligned;
    warp(sight.picture, align(five_points(sight.mesh)), {kAlignedSide, kAlignedSide}, aligned);
    Secret<probe::Contents> contents;
    contents.value.dimension = 0;
    if (const Status status = recogniser->extract(aligned, contents.value); !status.ok())
      return broken(status);
    out.feature.assign(contents.value.feature, contents.value.feature + contents.value.dimension);
  }
  liveness::look_at_pixels(sight.picture, out);
  return std::nullopt;
}

std::optional<Failure> Pipeline::Parts::add(const SequenceFrame& frame, Sequence::Frames& frames) const {
  liveness::Observation seen;
  if (auto failure = observe(frame, seen)) return failure;
  frames.edited = frames.edited || names_editor(frame.image);
  const float odd = oddness(seen);
  if (frames.seen.empty() || odd < frames.oddness) {
    frames.picture.assign(frame.image.begin(), frame.image.end());
    frames.oddness = odd;
  }
  frames.seen.push_back(std::move(seen));
  return std::nullopt;
}

std::optional<Failure> Pipeline::Parts::judge(const Sequence::Frames& sequence,
                                              const SequenceRequest& request, const Options& options,
                                              Capture& out, Judgement& judgement) const {
  const liveness::Observations frames = sequence.seen;
  if (frames.empty()) return Failure{FailureCode::kNoFace, "no frames"};
  if (auto failure = run(sequence.picture, options, out)) return failure;
  liveness::Origin origin;
  origin.device = request.device;
  origin.edited = sequence.edited;
  origin.most_us = request.most_us;
  std::vector<liveness::Outcome>& outcomes = judgement.outcomes;
  outcomes = {liveness::judge_passive(frames), liveness::judge_texture(frames),
              liveness::judge_injection(frames, origin), liveness::judge_continuity(frames)};
  if (request.asked.count > 0) outcomes.push_back(liveness::judge_challenge(frames, request.asked));
  if (!request.light_nonce.empty())
    outcomes.push_back(liveness::judge_light(frames, liveness::light_sequence(request.light_nonce)));
  if (!request.depth.empty()) {
    quality::DepthFrame depth;
    if (auto failure = quality::read_depth(request.depth, request.depth_settings, limits, depth))
      return failure;
    liveness::DepthFace face;
    if (frames[0].faces > 0) {
      face = liveness::depth_face(depth, frames[0].size, frames[0].mesh);
      keep_depth(frames[0], depth, out.contents);
    }
    outcomes.push_back(liveness::judge_depth(liveness::measure_relief(face), face.metric));
  }
  judgement.verdict = liveness::fuse(outcomes, request.demanded);
  liveness::keep(outcomes, request.demanded, out.contents);
  return std::nullopt;
}

}  // namespace visage::capture
