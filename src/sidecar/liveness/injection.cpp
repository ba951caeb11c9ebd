#include "sidecar/liveness/injection.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <vector>

namespace visage::liveness {
namespace {

constexpr int64_t kShortestStep = 4'000;       // us; no camera of a phone or PC is faster than 240 fps
constexpr int64_t kLongestStep = 3'000'000;    // us; a gap in which anything can be exchanged
constexpr int64_t kLongestSpan = 120'000'000;  // us

constexpr float kFewestPixels = 400;
constexpr float kLeastGrain = 0.25f;  // grey levels RMS; less is what compression leaves of noise
// Correlations; by make bench-liveness PARTS=grain. What is compared is noise and the skin's own texture, so
// frames of a face at rest are alike up to 0.93, whatever camera took them. But a person moves: of all pairs
// of frames a quarter has at most 0.56 in common, of one picture that is encoded again 0.73 or more.
constexpr float kSameGrain = 0.6f;
// So what comes again is told by what it does *not* share with its companion, beside what it does not share
// with frames of the same skin: of frames encoded again at most 0.16 of that, coarsely 0.45, of others at
// least 0.39.
constexpr float kComesAgain = 0.3f;
constexpr float kLeastAgain = 0.85f;  // which both have in common at the least
constexpr size_t kSome = 4;           // a quarter: of the other frames, and of the frames that come again

Reason judge_times(Observations frames, const Origin& origin) {
  for (size_t i = 1; i < frames.size(); ++i) {
    const int64_t step = frames[i].time_us - frames[i - 1].time_us;
    if (step < kShortestStep || step > kLongestStep) return Reason::kTimes;
  }
  const int64_t span = frames.back().time_us - frames.front().time_us;
  if (span > kLongestSpan || (origin.most_us > 0 && span > origin.most_us)) return Reason::kTimes;
  return Reason::kNone;
}

// A page may read the camera faster than the camera delivers, so neighbours may be one and the same frame. No
// camera gives the same pixels a second time.
Reason judge_pixels(Observations frames) {
  std::vector<const std::array<uint8_t, 32>*> runs;
  for (const Observation& frame : frames) {
    if (!runs.empty() && *runs.back() == frame.pixels) continue;
    for (const auto* earlier : runs)
      if (*earlier == frame.pixels) return Reason::kLoop;
    runs.push_back(&frame.pixels);
  }
  if (frames.size() >= 3 && 2 * runs.size() < frames.size()) return Reason::kStillFrames;
  return Reason::kNone;
}

// `row`: correlations with the other frames, NaN where there is none, NaN for itself. Neighbours are alike
// while a head hardly moves, so none is the companion.
bool comes_again(std::span<const float> row, size_t frame) {
  std::vector<float> others;
  float companion = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    if (std::isnan(row[i])) continue;
    others.push_back(row[i]);
    if (i + 1 < frame || i > frame + 1) companion = std::max(companion, row[i]);
  }
  if (companion < kLeastAgain || others.size() < 2) return false;
  const auto same_skin = others.begin() + static_cast<long>(std::max(others.size() / kSome, size_t{1}));
  std::nth_element(others.begin(), same_skin, others.end(), std::greater<>());
  return 1 - companion < kComesAgain * (1 - *same_skin);
}

Reason judge_grain(Observations frames, bool& judged) {
  const size_t n = frames.size();
  std::vector<float> pairs, rows(n * n, std::nanf(""));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < i; ++j) {
      if (frames[i].pixels == frames[j].pixels) continue;
      const Sameness same = compare_grain(frames[i], frames[j]);
      if (same.pixels == 0) continue;
      pairs.push_back(same.correlation);
      rows[i * n + j] = rows[j * n + i] = same.correlation;
    }
  judged = !pairs.empty();
  if (pairs.empty()) return Reason::kNone;
  const auto quarter = pairs.begin() + static_cast<long>(pairs.size() / 4);
  std::nth_element(pairs.begin(), quarter, pairs.end());
  if (*quarter > kSameGrain) return Reason::kSameNoise;
  size_t again = 0;
  for (size_t i = 0; i < n; ++i) again += comes_again(std::span(rows).subspan(i * n, n), i) ? 1 : 0;
  return kSome * again >= n ? Reason::kLoop : Reason::kNone;
}

Sameness compare_shifted(const Observation& a, const Observation& b, int dx, int dy) {
  float n = 0, sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
  for (int row = 1; row + 1 < kGrain; ++row)
    for (int column = 1; column + 1 < kGrain; ++column) {
      const float x = a.grain[static_cast<size_t>(row * kGrain + column)];
      const float y = b.grain[static_cast<size_t>((row + dy) * kGrain + column + dx)];
      if (std::isnan(x) || std::isnan(y)) continue;
      n += 1, sa += x, sb += y, aa += x * x, bb += y * y, ab += x * y;
    }
  if (n < kFewestPixels) return {};
  const float va = aa / n - sa * sa / n / n, vb = bb / n - sb * sb / n / n;
  if (std::min(va, vb) < kLeastGrain * kLeastGrain) return {};
  return {(ab / n - sa * sb / n / n) / std::sqrt(va * vb), static_cast<int>(n)};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c;
}

bool contains_any(std::string_view text, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(),
                       [](char a, char b) { return lower(a) == b; }) != text.end();
  });
}

}  // namespace

bool is_virtual_camera(std::string_view label) {
  constexpr std::string_view kWords[] = {"virtual",
                                         "obs-camera",
                                         "manycam",
                                         "xsplit",
                                         "snap camera",
                                         "droidcam",
                                         "dummy video",
                                         "v4l2loopback",
                                         "mmhmm",
                                         "e2esoft",
                                         "vcam",
                                         "camtwist",
                                         "iriun",
                                         "epoccam",
                                         "splitcam",
                                         "youcam",
                                         "altercam",
                                         "webcamoid",
                                         "akvcam",
                                         "fake_device",
                                         "newtek ndi",
                                         "unity video",
                                         "screencapturerecorder",
                                         "sparkocam",
                                         "chromacam",
                                         "nvidia broadcast",
                                         "camo "};
  return contains_any(label, kWords);
}

Sameness compare_grain(const Observation& a, const Observation& b) {
  if (a.grain.size() != kGrain * kGrain || b.grain.size() != a.grain.size()) return {};
  // The face is found to about a pixel, so the neighbouring places are tried too.
  Sameness best;
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx)
      if (const Sameness here = compare_shifted(a, b, dx, dy);
          here.pixels > 0 && (best.pixels == 0 || here.correlation > best.correlation))
        best = here;
  return best;
}

Outcome judge_injection(Observations frames, const Origin& origin) {
  constexpr Method kMethod = Method::kInjection;
  if (is_virtual_camera(origin.device)) return fail(kMethod, Reason::kVirtualCamera);
  if (origin.edited) return fail(kMethod, Reason::kEditor);
  if (frames.size() < 3) return undetermined(kMethod, Reason::kTooFewFrames);
  bool judged = false;
  for (const Reason reason : {judge_times(frames, origin), judge_pixels(frames), judge_grain(frames, judged)})
    if (reason != Reason::kNone) return fail(kMethod, reason);
  return judged ? pass(kMethod) : undetermined(kMethod, Reason::kTooSmooth);
}

}  // namespace visage::liveness
