#include "sidecar/liveness/verdict.h"

namespace visage::liveness {
namespace {

constexpr ReasonInfo kTable[kReasons] = {
    {Reason::kNone, "none", Species::kNone, ""},
    {Reason::kTooFewFrames, "too-few-frames", Species::kNone, "again"},
    {Reason::kNothingAsked, "nothing-asked", Species::kNone, ""},
    {Reason::kNoDepth, "no-depth", Species::kNone, "other-camera"},
    {Reason::kFaceLost, "face-lost", Species::kNone, "stay-in-view"},
    {Reason::kTooBright, "too-bright", Species::kNone, "less-light"},
    {Reason::kTooSmooth, "too-smooth", Species::kNone, "again"},
    {Reason::kNetwork, "network", Species::kPicture, "again"},
    {Reason::kMovementMissing, "movement-missing", Species::kStill, "follow-the-movements"},
    {Reason::kMovementNotAsked, "movement-not-asked", Species::kReplay, "follow-the-movements"},
    {Reason::kFlatTurn, "flat-turn", Species::kPicture, "again"},
    {Reason::kAnotherFace, "another-face", Species::kExchange, "stay-in-view"},
    {Reason::kJump, "jump", Species::kInjected, "stay-in-view"},
    {Reason::kColourAbsent, "colour-absent", Species::kInjected, "less-light"},
    {Reason::kColourWrong, "colour-wrong", Species::kReplay, "less-light"},
    {Reason::kColourEverywhere, "colour-everywhere", Species::kPicture, "less-light"},
    {Reason::kUniformDepth, "uniform-depth", Species::kInjected, "again"},
    {Reason::kPlane, "plane", Species::kPicture, "again"},
    {Reason::kBent, "bent", Species::kBentPrint, "again"},
    {Reason::kHollow, "hollow", Species::kMould, "again"},
    {Reason::kNoNose, "no-nose", Species::kSmooth, "again"},
    {Reason::kWrongSize, "wrong-size", Species::kPicture, "again"},
    {Reason::kDepthElsewhere, "depth-elsewhere", Species::kInjected, "again"},
    {Reason::kStillFrames, "still-frames", Species::kStill, "again"},
    {Reason::kLoop, "loop", Species::kReplay, "again"},
    {Reason::kSameNoise, "same-noise", Species::kStill, "again"},
    {Reason::kTimes, "times", Species::kInjected, "again"},
    {Reason::kResampled, "resampled", Species::kEdited, "again"},
    {Reason::kEditor, "editor", Species::kEdited, "again"},
    {Reason::kVirtualCamera, "virtual-camera", Species::kInjected, "other-camera"},
    {Reason::kPeriodicDots, "periodic-dots", Species::kPicture, "again"},
};

constexpr bool in_order() {
  for (size_t i = 0; i < kReasons; ++i)
    if (static_cast<size_t>(kTable[i].reason) != i) return false;
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const ReasonInfo, kReasons> reasons() {
  return kTable;
}

std::string_view name(Method method) {
  switch (method) {
    case Method::kDeclared:
      return "declared";
    case Method::kPassive:
      return "passive";
    case Method::kChallenge:
      return "challenge";
    case Method::kContinuity:
      return "continuity";
    case Method::kLight:
      return "light";
    case Method::kDepth:
      return "depth";
    case Method::kInjection:
      return "injection";
    case Method::kTexture:
      return "texture";
  }
  return "unknown";
}

std::string_view name(Verdict verdict) {
  return verdict == Verdict::kPass ? "pass" : verdict == Verdict::kFail ? "fail" : "undetermined";
}

std::string_view name(Species species) {
  constexpr std::string_view kNames[] = {"none",   "picture", "bent-print", "mould",  "smooth",
                                         "replay", "still",   "injected",   "edited", "exchange"};
  return kNames[static_cast<size_t>(species)];
}

}  // namespace visage::liveness
