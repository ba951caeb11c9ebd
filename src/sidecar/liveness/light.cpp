#include "sidecar/liveness/light.h"

#include <algorithm>
#include <cmath>

namespace visage::liveness {
namespace {

constexpr Colour kPalette[] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {1, 0, 1}, {0, 1, 1}};
constexpr size_t kColours = std::size(kPalette);
constexpr std::string_view kLabel = "visage light 1";

constexpr size_t kFewestSteps = 4;
// Least change of the skin's brightness, as a share of what it has, when a channel of the screen goes from
// off to on. Indoors a phone gives 0.05 to 0.5 at arm's length, in the sun nothing.
constexpr double kLeastGain = 0.01;
constexpr double kLeastCorrelation = 0.6;
// The background is behind the face, so the screen reaches it less: by the square of the distance.
constexpr double kMostOfBackground = 0.75;
// Of all the sequences that there are, so many may fit the face better than the one that was shown: two
// sequences have the black of the beginning in common and often more, so that a correlation alone tells them
// apart badly. What reflects a sequence of its own passes with this number in 3,750.
constexpr int kMostBetter = 5;

struct Response {
  double gain = 0, correlation = 0, strength = 0, error = 0;
};

// Least squares of the relative changes of an area on the colours shown; both less their means, so that no
// other light matters as long as it stays the same.
Response respond(std::span<const Colour> seen, std::span<const Colour> shown) {
  double mr = 0, mm = 0, rr = 0;
  const double n = static_cast<double>(seen.size());
  for (int channel = 0; channel < 3; ++channel) {
    double mean_seen = 0, mean_shown = 0;
    for (size_t i = 0; i < seen.size(); ++i) {
      mean_seen += static_cast<double>(seen[i][channel]) / n;
      mean_shown += static_cast<double>(shown[i][channel]) / n;
    }
    if (!(mean_seen > 0)) continue;
    for (size_t i = 0; i < seen.size(); ++i) {
      const double r = static_cast<double>(seen[i][channel]) / mean_seen - 1;
      const double m = static_cast<double>(shown[i][channel]) - mean_shown;
      mr += m * r;
      mm += m * m;
      rr += r * r;
    }
  }
  if (!(mm > 0)) return {};
  Response out;
  out.gain = mr / mm;
  out.correlation = rr > 0 ? mr / std::sqrt(mm * rr) : 0;
  out.strength = std::sqrt(rr / mm);
  out.error = std::sqrt(std::max(0.0, rr - out.gain * mr) / (3 * n - 4) / mm);
  return out;
}

Colour mean(const std::vector<Colour>& colours) {
  Colour sum;
  const float n = static_cast<float>(colours.size());
  for (const Colour& c : colours) sum = {sum.r + c.r / n, sum.g + c.g / n, sum.b + c.b / n};
  return sum;
}

// Every sequence that light_sequence() can give.
template <typename Take>
void for_all_sequences(Take take, LightSequence& made, size_t step = 1, size_t last = kColours) {
  if (step == kLightSteps) return take(made);
  for (size_t colour = 0; colour < kColours; ++colour) {
    if (colour == last) continue;
    made[step] = kPalette[colour];
    for_all_sequences(take, made, step + 1, colour);
  }
}

// How many sequences explain what was seen on the face at these steps better than a correlation of `least`.
int count_better(std::span<const Colour> seen, std::span<const size_t> steps, double least) {
  int better = 0;
  LightSequence made{};
  std::vector<Colour> shown(steps.size());
  for_all_sequences(
      [&](const LightSequence& sequence) {
        for (size_t i = 0; i < steps.size(); ++i) shown[i] = sequence[steps[i]];
        better += respond(seen, shown).correlation > least;
      },
      made);
  return better;
}

}  // namespace

LightSequence light_sequence(Bytes nonce) {
  uint8_t digest[crypto::kDigestSize];
  crypto::sha256(as_bytes(kLabel), nonce, digest);
  LightSequence out{};
  size_t last = kColours;  // of black: none
  for (size_t i = 1; i < kLightSteps; ++i) {
    const size_t choices = last == kColours ? kColours : kColours - 1;
    size_t pick = digest[i] % choices;
    if (last != kColours && pick >= last) ++pick;
    out[i] = kPalette[pick];
    last = pick;
  }
  return out;
}

Outcome judge_light(Observations frames, const LightSequence& shown) {
  constexpr Method kMethod = Method::kLight;
  std::array<std::vector<Colour>, kLightSteps> skin, background;
  for (const Observation& frame : frames) {
    if (frame.light_step < 0 || frame.light_step >= static_cast<int>(kLightSteps) || frame.faces == 0)
      continue;
    skin[static_cast<size_t>(frame.light_step)].push_back(frame.skin);
    background[static_cast<size_t>(frame.light_step)].push_back(frame.background);
  }
  std::vector<Colour> of_skin, of_background, of_screen;
  std::vector<size_t> steps;
  for (size_t i = 0; i < kLightSteps; ++i) {
    if (skin[i].empty()) continue;
    of_skin.push_back(mean(skin[i]));
    of_background.push_back(mean(background[i]));
    of_screen.push_back(shown[i]);
    steps.push_back(i);
  }
  if (of_skin.empty()) return undetermined(kMethod, Reason::kNothingAsked);
  if (of_skin.size() < kFewestSteps) return undetermined(kMethod, Reason::kTooFewFrames);
  const Response face = respond(of_skin, of_screen);
  constexpr double kEqual = 1e-9;  // of sequences that differ only in steps that nobody saw
  if (face.gain >= kLeastGain && face.correlation >= kLeastCorrelation &&
      count_better(of_skin, steps, face.correlation + kEqual) <= kMostBetter) {
    // Without a background nobody knows whether the face alone was lit.
    if (std::any_of(of_background.begin(), of_background.end(), [](const Colour& c) { return c.r <= 0; }))
      return undetermined(kMethod, Reason::kTooBright);
    const Response behind = respond(of_background, of_screen);
    if (behind.gain > kMostOfBackground * face.gain) return fail(kMethod, Reason::kColourEverywhere);
    return pass(kMethod, static_cast<float>(face.correlation));
  }
  if (face.strength > 3 * kLeastGain) return fail(kMethod, Reason::kColourWrong);
  // Whether so small a change would have been seen at all.
  if (3 * face.error > kLeastGain) return undetermined(kMethod, Reason::kTooBright);
  return fail(kMethod, Reason::kColourAbsent);
}

}  // namespace visage::liveness
