// Pipeline::process of several frames: what each shows, then the methods of liveness over all of them.
#include <cmath>

#include "sidecar/capture/metadata.h"
#include "sidecar/capture/parts.h"
#include "sidecar/capture/stopwatch.h"
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

// The frame to compare by: looks into the camera, eyes open, mouth shut, in no colour of the screen's.
size_t best_of(std::span<const liveness::Observation> frames) {
  size_t best = 0;
  float least = 1e9f;
  for (size_t i = 0; i < frames.size(); ++i) {
    const liveness::Observation& f = frames[i];
    if (f.faces == 0) continue;
    const float tinted = f.light_step > 0 ? 10.0f : 0.0f;  // step 0 is black: the room's own light
    const float odd = tinted + std::abs(f.pose.yaw) + std::abs(f.pose.pitch) +
                      20 * (f.shapes[kEyeBlinkLeft] + f.shapes[kEyeBlinkRight] + f.shapes[kJawOpen]);
    if (odd < least) {
      least = odd;
      best = i;
    }
  }
  return best;
}

}  // namespace

std::optional<Failure> Pipeline::observe(const SequenceFrame& frame, liveness::Observation& out) const {
  try {
    Timings timings;
    return parts_->observe(frame, timings, out);
  } catch (const std::exception&) {
    return unforeseen();
  }
}

std::optional<Failure> Pipeline::process(const SequenceRequest& request, const Options& options, Capture& out,
                                         Judgement& judgement) const {
  try {
    return parts_->run_sequence(request, options, out, judgement);
  } catch (const std::exception&) {
    return unforeseen();
  }
}

std::optional<Failure> Pipeline::Parts::observe(const SequenceFrame& frame, Timings& timings,
                                                liveness::Observation& out) const {
  Sight sight;
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

std::optional<Failure> Pipeline::Parts::run_sequence(const SequenceRequest& request, const Options& options,
                                                     Capture& out, Judgement& judgement) const {
  if (request.frames.empty()) return Failure{FailureCode::kNoFace, "no frames"};
  std::vector<liveness::Observation> frames(request.frames.size());
  liveness::Origin origin;
  origin.device = request.device;
  origin.most_us = request.most_us;
  double observing = 0;
  {
    const Stopwatch watch(observing);
    Timings unused;
    for (size_t i = 0; i < frames.size(); ++i) {
      if (auto failure = observe(request.frames[i], unused, frames[i])) return failure;
      origin.edited = origin.edited || names_editor(request.frames[i].image);
    }
  }
  judgement.best = best_of(frames);
  if (auto failure = run(request.frames[judgement.best].image, options, out)) return failure;

  out.timings.liveness = observing;
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
    const liveness::DepthFace face = frames[0].faces > 0
                                         ? liveness::depth_face(depth, frames[0].size, frames[0].mesh)
                                         : liveness::DepthFace{};
    outcomes.push_back(liveness::judge_depth(liveness::measure_relief(face), face.metric));
  }
  judgement.verdict = liveness::fuse(outcomes, request.demanded);
  liveness::keep(outcomes, request.demanded, out.contents);
  return std::nullopt;
}

}  // namespace visage::capture
