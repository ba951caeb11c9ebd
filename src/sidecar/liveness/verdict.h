// What a method of liveness says, and why. The client learns only pass or fail and the advice; reason and
// species are kept (docs/liveness.md).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/probe/probe.h"

namespace visage::liveness {

using Method = probe::LivenessMethod;

enum class Verdict : uint8_t { kPass, kFail, kUndetermined };

// Species of presentation attack instruments (ISO/IEC 30107-3) and of injections (CEN/TS 18099).
enum class Species : uint8_t {
  kNone,
  kPicture,  // flat: a print or a screen
  kBentPrint,
  kMould,     // hollow
  kSmooth,    // a body without features
  kReplay,    // a recording
  kStill,     // one picture for many frames
  kInjected,  // frames or depth that no camera took
  kEdited,
  kExchange,  // another face took over
};

// Numbers are kept in probes: only ever add at the end.
enum class Reason : uint8_t {
  kNone,
  // Nothing to judge by.
  kTooFewFrames,
  kNothingAsked,
  kNoDepth,
  kFaceLost,
  kTooBright,
  kTooSmooth,
  // Failures.
  kNetwork,
  kMovementMissing,
  kMovementNotAsked,
  kFlatTurn,
  kAnotherFace,
  kJump,
  kColourAbsent,
  kColourWrong,
  kColourEverywhere,
  kUniformDepth,
  kPlane,
  kBent,
  kHollow,
  kNoNose,
  kWrongSize,
  kDepthElsewhere,
  kStillFrames,
  kLoop,
  kSameNoise,
  kTimes,
  kResampled,
  kEditor,
  kVirtualCamera,
  kPeriodicDots,
};
inline constexpr size_t kReasons = 31;

struct ReasonInfo {
  Reason reason;
  std::string_view name;
  Species suspected;
  std::string_view advice;  // key of the words that tell a person what to do; tells an attacker nothing
};
std::span<const ReasonInfo, kReasons> reasons();
inline const ReasonInfo& info(Reason reason) {
  return reasons()[static_cast<size_t>(reason)];
}
std::string_view name(Method method);
std::string_view name(Verdict verdict);
std::string_view name(Species species);

struct Outcome {
  Method method;
  Verdict verdict = Verdict::kUndetermined;
  Reason reason = Reason::kNone;
  // How sure that the presentation is bona fide: from 0.5 on for a pass, less for a failure. Not a
  // probability that was calibrated, except for the network.
  float value = 0;

  Species suspected() const { return info(reason).suspected; }
};

inline Outcome pass(Method method, float value = 1) {
  return {method, Verdict::kPass, Reason::kNone, value < 0.5f ? 0.5f : value > 1 ? 1 : value};
}
inline Outcome fail(Method method, Reason reason, float value = 0) {
  return {method, Verdict::kFail, reason, value < 0 ? 0 : value > 0.49f ? 0.49f : value};
}
inline Outcome undetermined(Method method, Reason reason) {
  return {method, Verdict::kUndetermined, reason, 0};
}

}  // namespace visage::liveness
