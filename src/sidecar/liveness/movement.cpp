#include "sidecar/liveness/movement.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

namespace visage::liveness {
namespace {

using challenge::Movement;

constexpr size_t kFewestFrames = 5;

// Degrees for the head, 0…1 for blendshapes. A movement begins above `on` and ends under `off`. Those of the
// head come first.
struct Trigger {
  Movement movement;
  float on, off;
};
constexpr Trigger kTriggers[] = {
    {Movement::kTurnLeft, 12, 6},     {Movement::kTurnRight, 12, 6},        {Movement::kNod, 8, 4},
    {Movement::kBlink, 0.25f, 0.15f}, {Movement::kOpenMouth, 0.25f, 0.15f}, {Movement::kSmile, 0.3f, 0.2f},
};

// A movement that nobody asked for is forgiven up to this share of the slightest that was asked. People do
// what they are asked to plainly; so does a recording of them, of which none is then to be overlooked.
constexpr float kSlight = 0.75f;

// Least parallax of a turn. Made heads have 0.040 and more where their turn begins to count. A photograph
// that is turned has 0.013 to 0.044, as the network guesses depth into it, but up to 45 degrees it seems to
// turn by less than 10, which is no turn: so this limit convicts only what has next to no parallax (make
// bench-liveness).
constexpr float kLeastParallax = 0.012f;

// Of an even number the lower of the two in the middle: a movement is what is above rest.
float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<long>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Positive while the movement is done.
float raw(const quality::Pose& pose, const capture::Blendshapes& shapes, Movement movement) {
  using namespace capture;
  switch (movement) {
    case Movement::kTurnLeft:
      return pose.yaw;
    case Movement::kTurnRight:
      return -pose.yaw;
    case Movement::kNod:
      return pose.pitch;
    case Movement::kBlink:
      return std::min(shapes[kEyeBlinkLeft], shapes[kEyeBlinkRight]);
    case Movement::kOpenMouth:
      return shapes[kJawOpen];
    case Movement::kSmile:
      return (shapes[kMouthSmileLeft] + shapes[kMouthSmileRight]) / 2;
  }
  return 0;
}

float raw(const Observation& frame, Movement movement) {
  return raw(frame.pose, frame.shapes, movement);
}

bool overlap(const Event& a, const Event& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The person's rest is the median of the frames that are not in `moved`.
void find(Observations frames, const Trigger& trigger, const std::vector<bool>& moved,
          std::vector<Event>& out) {
  std::vector<float> values;
  for (size_t i = 0; i < frames.size(); ++i)
    if (frames[i].faces > 0 && !moved[i]) values.push_back(raw(frames[i], trigger.movement));
  if (values.empty()) return;
  const float rest = median(values);
  bool active = false;
  float best = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (frames[i].faces == 0) continue;
    const float value = raw(frames[i], trigger.movement) - rest;
    if (!active && value > trigger.on) {
      out.push_back({trigger.movement, i, i, i, value / trigger.on});
      active = true;
      best = value;
    }
    if (!active) continue;
    if (value < trigger.off) {
      active = false;
      continue;
    }
    out.back().last = i;
    if (value > best) {
      best = value;
      out.back().peak = i;
      out.back().reach = value / trigger.on;
    }
  }
}

bool is_head(Movement movement) {
  return movement == Movement::kTurnLeft || movement == Movement::kTurnRight || movement == Movement::kNod;
}

}  // namespace

float extent(const quality::Pose& pose, const capture::Blendshapes& shapes, Movement movement) {
  for (const Trigger& trigger : kTriggers)
    if (trigger.movement == movement) return raw(pose, shapes, movement) / trigger.on;
  return 0;
}

std::vector<Event> find_events(Observations frames) {
  // Lids are lowered, and lips look drawn, in a head that turns or bows: that is not a blink or a smile, nor
  // what the face is like at rest.
  std::vector<Event> events, kept;
  std::vector<bool> moved(frames.size());
  for (const Trigger& trigger : kTriggers) {
    if (!is_head(trigger.movement)) {
      find(frames, trigger, moved, events);
      continue;
    }
    const size_t before = events.size();
    find(frames, trigger, std::vector<bool>(frames.size()), events);
    for (size_t i = before; i < events.size(); ++i)
      std::fill(moved.begin() + static_cast<long>(events[i].first),
                moved.begin() + static_cast<long>(events[i].last) + 1, true);
  }
  for (const Event& event : events) {
    const bool shadowed =
        !is_head(event.movement) && std::any_of(events.begin(), events.end(), [&](const Event& other) {
          return is_head(other.movement) && overlap(event, other);
        });
    if (!shadowed) kept.push_back(event);
  }
  std::sort(kept.begin(), kept.end(), [](const Event& a, const Event& b) { return a.first < b.first; });
  return kept;
}

float parallax(const capture::Mesh& from, const capture::Mesh& to) {
  // Points of bone: expression does not move them. Eye corners, bridge and tip of the nose, its wings,
  // temples, cheeks, forehead, jaw.
  constexpr uint16_t kPoints[] = {33,  133, 362, 263, 168, 6,   197, 195, 5,  4,  1,   129, 358,
                                  117, 346, 50,  280, 123, 352, 234, 454, 10, 67, 297, 172, 397};
  constexpr Eigen::Index kCount = std::size(kPoints);
  const float scale = capture::distance(from.points[33], from.points[263]);
  const float scale_to = capture::distance(to.points[33], to.points[263]);
  if (!(scale > 0) || !(scale_to > 0)) return 0;
  const capture::Point origin = from.points[168], origin_to = to.points[168];
  // The direct linear transform of a homography, with h33 = 1: both faces are centred and scaled, so that is
  // not near zero.
  Eigen::Matrix<double, 2 * kCount, 8> a;
  Eigen::Matrix<double, 2 * kCount, 1> b;
  const auto x = [&](Eigen::Index i) {
    return Eigen::Vector2d((from.points[kPoints[i]].x - origin.x) / scale,
                           (from.points[kPoints[i]].y - origin.y) / scale);
  };
  const auto y = [&](Eigen::Index i) {
    return Eigen::Vector2d((to.points[kPoints[i]].x - origin_to.x) / scale,
                           (to.points[kPoints[i]].y - origin_to.y) / scale);
  };
  for (Eigen::Index i = 0; i < kCount; ++i) {
    const Eigen::Vector2d p = x(i), q = y(i);
    a.row(2 * i) << p.x(), p.y(), 1, 0, 0, 0, -q.x() * p.x(), -q.x() * p.y();
    a.row(2 * i + 1) << 0, 0, 0, p.x(), p.y(), 1, -q.y() * p.x(), -q.y() * p.y();
    b(2 * i) = q.x();
    b(2 * i + 1) = q.y();
  }
  const Eigen::Matrix<double, 8, 1> h = a.colPivHouseholderQr().solve(b);
  double squares = 0;
  for (Eigen::Index i = 0; i < kCount; ++i) {
    const Eigen::Vector2d p = x(i), q = y(i);
    const double w = h(6) * p.x() + h(7) * p.y() + 1;
    const Eigen::Vector2d seen((h(0) * p.x() + h(1) * p.y() + h(2)) / w,
                               (h(3) * p.x() + h(4) * p.y() + h(5)) / w);
    squares += (seen - q).squaredNorm();
  }
  const double rms = std::sqrt(squares / static_cast<double>(kCount));
  return std::isfinite(rms) ? static_cast<float>(rms) : 0;
}

Outcome judge_challenge(Observations frames, const challenge::Challenge& asked) {
  constexpr Method kMethod = Method::kChallenge;
  if (asked.count == 0) return undetermined(kMethod, Reason::kNothingAsked);
  if (frames.size() < kFewestFrames) return undetermined(kMethod, Reason::kTooFewFrames);
  const auto wanted = std::span(asked.steps).first(asked.count);
  size_t done = 0;
  float least = 1;
  float slightest = std::numeric_limits<float>::infinity();  // of what was asked, how far it was done
  const Event* slip = nullptr;
  const auto not_asked = [&] {
    return fail(kMethod, Reason::kMovementNotAsked,
                static_cast<float>(done) / static_cast<float>(2 * wanted.size()));
  };
  const std::vector<Event> events = find_events(frames);
  for (const Event& event : events) {
    const bool natural = event.movement == Movement::kBlink || event.movement == Movement::kSmile;
    if (done == wanted.size() || event.movement != wanted[done]) {
      // Twice the same is a shaky hand; what comes later in the list has come too early, and is a recording.
      if (natural || (done > 0 && event.movement == wanted[done - 1])) continue;
      const bool listed = std::find(wanted.begin(), wanted.end(), event.movement) != wanted.end();
      if (listed || slip != nullptr) return not_asked();
      slip = &event;
      continue;
    }
    ++done;
    slightest = std::min(slightest, event.reach);
    if (event.movement != Movement::kTurnLeft && event.movement != Movement::kTurnRight) continue;
    // The nearest frame before, in which the head was not turned yet.
    size_t before = event.first;
    while (before > 0 && (frames[before].faces == 0 ||
                          std::abs(frames[before].pose.yaw - frames[event.peak].pose.yaw) < 10))
      --before;
    if (frames[before].faces == 0) return undetermined(kMethod, Reason::kFaceLost);
    const float depth = parallax(frames[before].mesh, frames[event.peak].mesh);
    if (depth < kLeastParallax) return fail(kMethod, Reason::kFlatTurn, depth / kLeastParallax / 2);
    least = std::min(least, depth / kLeastParallax / 2);
  }
  if (done < wanted.size())
    return fail(kMethod, Reason::kMovementMissing,
                static_cast<float>(done) / static_cast<float>(2 * wanted.size()));
  // One movement must not be able to count where it is asked for and to be overlooked where it is not.
  if (slip != nullptr && slip->reach > kSlight * slightest) return not_asked();
  return pass(kMethod, least);
}

}  // namespace visage::liveness
