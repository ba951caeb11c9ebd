// Challenge, continuity, light and injection over made films.   [6.1.2a, 6.1.2c]
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "liveness_faces.h"
#include "sidecar/liveness/continuity.h"
#include "sidecar/liveness/fusion.h"
#include "sidecar/liveness/injection.h"
#include "sidecar/liveness/light.h"
#include "sidecar/liveness/movement.h"
#include "sidecar/liveness/passive.h"
#include "sidecar/liveness/texture.h"

namespace visage::liveness {
namespace {

using challenge::Challenge;
using challenge::Movement;
using test::Gesture;
using test::make_film;

constexpr Gesture kLeft{.yaw = 25}, kRight{.yaw = -25}, kNod{.pitch = 15}, kBlink{.blink = 0.7f},
    kOpen{.open = 0.6f}, kSmile{.smile = 0.8f};

Challenge asked(std::string_view text) {
  Challenge out;
  EXPECT_TRUE(challenge::parse(text, out).ok()) << text;
  return out;
}

Reason challenged(const std::vector<Gesture>& done, std::string_view text) {
  return judge_challenge(make_film(done), asked(text)).reason;
}

TEST(Challenge, ReadsTheWordsOfASession) {
  const Challenge all = asked("smile,nod,turn_left,blink,turn_right,open_mouth");
  ASSERT_EQ(all.count, 6u);
  EXPECT_EQ(all.steps[0], Movement::kSmile);
  EXPECT_EQ(all.steps[5], Movement::kOpenMouth);
  EXPECT_EQ(asked("").count, 0u);
  Challenge out;
  for (const char* bad : {"jump", "nod,nod", "nod,", ",nod", "nod, blink", "NOD"})
    EXPECT_FALSE(challenge::parse(bad, out).ok()) << bad;
}

TEST(Challenge, EveryMovementIsSeenAlone) {
  const std::pair<const char*, Gesture> all[] = {{"turn_left", kLeft},  {"turn_right", kRight},
                                                 {"nod", kNod},         {"blink", kBlink},
                                                 {"open_mouth", kOpen}, {"smile", kSmile}};
  for (const auto& [word, gesture] : all)
    for (const auto& [other, unused] : all)
      EXPECT_EQ(judge_challenge(make_film({gesture}), asked(other)).verdict,
                std::string(word) == other ? Verdict::kPass : Verdict::kFail)
          << word << " for " << other;
}

// Lips look drawn in a head that bows. However long it does so, that is not how they are at rest.
TEST(Challenge, ASmileAfterALongNodIsSeen) {
  std::vector<Observation> film;
  const auto show = [&](const Gesture& gesture, int frames) {
    for (int i = 0; i < frames; ++i)
      film.push_back(test::make_face(gesture, 100'000 * static_cast<int64_t>(film.size() + 1)));
  };
  show({}, 3);
  show({.pitch = 15, .smile = 0.18f}, 6);
  show({}, 2);
  show({.smile = 0.4f}, 2);
  show({}, 1);
  EXPECT_EQ(judge_challenge(film, asked("nod,smile")).verdict, Verdict::kPass);
}

// What the page shows while somebody moves, and what counts afterwards, are the same.
TEST(Challenge, AnExtentOfOneIsAMovement) {
  const std::pair<Movement, Gesture> all[] = {
      {Movement::kTurnLeft, {.yaw = 1}},   {Movement::kTurnRight, {.yaw = -1}},
      {Movement::kNod, {.pitch = 1}},      {Movement::kBlink, {.blink = 1}},
      {Movement::kOpenMouth, {.open = 1}}, {Movement::kSmile, {.smile = 1}}};
  for (const auto& [movement, unit] : all) {
    const Observation seen = test::make_face(unit, 0);
    for (const float wanted : {0.95f, 1.05f}) {
      const float s = wanted / extent(seen.pose, seen.shapes, movement);
      const std::vector<Event> events = find_events(make_film({{.yaw = s * unit.yaw,
                                                                .pitch = s * unit.pitch,
                                                                .blink = s * unit.blink,
                                                                .open = s * unit.open,
                                                                .smile = s * unit.smile}}));
      EXPECT_EQ(events.size(), wanted > 1 ? 1u : 0u) << challenge::word(movement) << " " << wanted;
    }
  }
}

TEST(Challenge, OrderCounts) {
  EXPECT_EQ(challenged({kLeft, kNod, kOpen}, "turn_left,nod,open_mouth"), Reason::kNone);
  EXPECT_EQ(challenged({kNod, kLeft, kOpen}, "turn_left,nod,open_mouth"), Reason::kMovementNotAsked);
  EXPECT_EQ(challenged({kLeft, kNod}, "turn_left,nod,open_mouth"), Reason::kMovementMissing);
  EXPECT_EQ(challenged({kBlink}, "turn_left,nod,open_mouth"), Reason::kMovementMissing);
}

// A recording in which somebody does everything must not pass for whatever is asked.
TEST(Challenge, MovementsThatNobodyAskedForAreARecording) {
  EXPECT_EQ(challenged({kLeft, kRight, kNod, kOpen}, "turn_left,nod"), Reason::kMovementNotAsked);
  EXPECT_EQ(challenged({kBlink, kLeft, kBlink, kNod, kSmile}, "turn_left,nod"), Reason::kNone);
}

// A nod between two steps is no attack. It has to be slighter than all that was asked, and of a kind that was
// not.
TEST(Challenge, OneSlightMovementIsForgiven) {
  constexpr Gesture kSlightNod{.pitch = 10}, kSlightLook{.yaw = -14};
  EXPECT_EQ(challenged({kLeft, kSlightNod, kOpen}, "turn_left,open_mouth"), Reason::kNone);
  EXPECT_EQ(challenged({kSlightNod, kLeft, kOpen}, "turn_left,open_mouth"), Reason::kNone);
  EXPECT_EQ(challenged({kLeft, kOpen, kSlightNod}, "turn_left,open_mouth"), Reason::kNone);
  EXPECT_EQ(challenged({kLeft, kSlightNod, kSlightNod, kOpen}, "turn_left,open_mouth"),
            Reason::kMovementNotAsked);
  EXPECT_EQ(challenged({kLeft, kSlightNod, kSlightLook, kOpen}, "turn_left,open_mouth"),
            Reason::kMovementNotAsked);
  EXPECT_EQ(challenged({kLeft, kSlightNod, kOpen}, "turn_left,open_mouth,nod"), Reason::kMovementNotAsked)
      << "what comes too early";
  EXPECT_EQ(challenged({kLeft, kNod, {.open = 0.3f}}, "turn_left,open_mouth"), Reason::kMovementNotAsked)
      << "as plain as what was asked";
}

struct Performed {
  Movement movement;
  Gesture gesture;
};
constexpr Performed kAll[] = {{Movement::kTurnLeft, kLeft},  {Movement::kTurnRight, kRight},
                              {Movement::kNod, kNod},        {Movement::kBlink, kBlink},
                              {Movement::kOpenMouth, kOpen}, {Movement::kSmile, kSmile}};

// The sessions of three movements, of all that there are: 120.
std::vector<Challenge> all_sessions() {
  std::vector<Challenge> out;
  for (const auto& [a, x] : kAll)
    for (const auto& [b, y] : kAll)
      for (const auto& [c, z] : kAll)
        if (a != b && a != c && b != c) out.push_back({{a, b, c}, 3});
  return out;
}

int sessions_that_take(const std::vector<Gesture>& recorded) {
  const std::vector<Observation> film = make_film(recorded);
  int taken = 0;
  for (const Challenge& session : all_sessions())
    taken += judge_challenge(film, session).verdict == Verdict::kPass;
  return taken;
}

// [6.1.2a] Who recorded somebody answering one session has an answer to that session alone.
TEST(Challenge, ARecordingAnswersItsOwnSessionAlone) {
  const std::vector<Challenge> sessions = all_sessions();
  ASSERT_EQ(sessions.size(), 120u);
  for (size_t recorded = 0; recorded < sessions.size(); ++recorded) {
    std::vector<Gesture> done;
    for (size_t i = 0; i < 3; ++i)
      for (const auto& [movement, gesture] : kAll)
        if (movement == sessions[recorded].steps[i]) done.push_back(gesture);
    const std::vector<Observation> film = make_film(done);
    for (size_t asked = 0; asked < sessions.size(); ++asked)
      ASSERT_EQ(judge_challenge(film, sessions[asked]).verdict == Verdict::kPass, asked == recorded)
          << recorded << " for " << asked;
  }
}

// What is blinked and smiled all the time answers more of them, and one slight movement as many again.
TEST(Challenge, ARecordingMadeForManySessionsAnswersFew) {
  const auto around = [](const std::vector<Gesture>& movements) {
    std::vector<Gesture> out = {kBlink, kSmile, kBlink};
    for (const Gesture& movement : movements) out.insert(out.end(), {movement, kBlink, kSmile});
    return out;
  };
  EXPECT_EQ(sessions_that_take(around({kLeft, kNod})), 6);
  EXPECT_EQ(sessions_that_take(around({kLeft, {.pitch = 10}})), 12);
  EXPECT_EQ(sessions_that_take({kLeft, kRight, kNod, kOpen}), 0);
  EXPECT_EQ(sessions_that_take({kLeft, kRight, {.pitch = 10}, kOpen}), 1);
  EXPECT_EQ(sessions_that_take(around({kLeft, kRight, kNod, kOpen})), 0);
}

TEST(Challenge, ATurnedPhotographIsFlat) {
  Gesture flat = kLeft;
  flat.flat = true;
  const auto film = make_film({flat});
  std::vector<Observation> whole;
  for (size_t i = 0; i < film.size(); ++i)
    whole.push_back(test::make_face({.yaw = film[i].pose.yaw, .flat = true}, film[i].time_us));
  EXPECT_EQ(judge_challenge(whole, asked("turn_left")).reason, Reason::kFlatTurn);
  EXPECT_GT(parallax(test::make_face({}, 0).mesh, test::make_face(kLeft, 1).mesh), 0.02f);
  EXPECT_LT(parallax(test::make_face({.flat = true}, 0).mesh, test::make_face(flat, 1).mesh), 1e-3f);
}

TEST(Challenge, NothingIsDecidedFromNothing) {
  EXPECT_EQ(judge_challenge(make_film({kLeft}), {}).verdict, Verdict::kUndetermined);
  EXPECT_EQ(judge_challenge({}, asked("nod")).verdict, Verdict::kUndetermined);
}

TEST(Continuity, OneFaceThroughout) {
  auto film = make_film({kLeft, kNod});
  EXPECT_EQ(judge_continuity(film).verdict, Verdict::kPass);
  film[8] = test::make_face({}, film[8].time_us, 5);
  EXPECT_EQ(judge_continuity(film).reason, Reason::kAnotherFace);
}

TEST(Continuity, AFaceDoesNotJump) {
  auto film = make_film({kLeft});
  for (size_t i = 4; i < film.size(); ++i) film[i].box.x += 200;
  EXPECT_EQ(judge_continuity(film).reason, Reason::kJump);
}

TEST(Continuity, AFaceThatLeavesIsUndetermined) {
  auto film = make_film({kLeft});
  for (size_t i = 2; i < 6; ++i) film[i].faces = 0;
  EXPECT_EQ(judge_continuity(film).verdict, Verdict::kUndetermined);
}

std::vector<Observation> lit(const LightSequence& by, float face, float background, float shake = 0) {
  std::vector<Observation> film;
  for (int step = 0; step < static_cast<int>(kLightSteps); ++step)
    for (int i = 0; i < 2; ++i) {
      film.push_back(test::make_face({}, 100'000 * static_cast<int64_t>(film.size() + 1)));
      Observation& frame = film.back();
      const Colour& c = by[static_cast<size_t>(step)];
      const float s = 1 + shake * ((step * 7 + i * 3) % 5 - 2.0f);
      frame.light_step = step;
      frame.skin = {0.3f * s * (1 + face * c.r), 0.2f * s * (1 + face * c.g), 0.15f * s * (1 + face * c.b)};
      frame.background = {0.4f * (1 + background * c.r), 0.4f * (1 + background * c.g),
                          0.4f * (1 + background * c.b)};
    }
  return film;
}

TEST(Light, FollowsTheSequence) {
  const std::vector<uint8_t> nonce(32, 1), other(32, 3);
  const LightSequence shown = light_sequence(nonce), recorded = light_sequence(other);
  EXPECT_EQ(judge_light(lit(shown, 0.1f, 0.01f), shown).reason, Reason::kNone);
  EXPECT_EQ(judge_light(lit(recorded, 0.1f, 0.01f), shown).verdict, Verdict::kFail);
  EXPECT_EQ(judge_light(lit(shown, 0, 0), shown).reason, Reason::kColourAbsent);
  EXPECT_EQ(judge_light(lit(shown, 0.1f, 0.1f), shown).reason, Reason::kColourEverywhere);
  // Exposure that wanders by several per cent hides what the screen does.
  EXPECT_EQ(judge_light(lit(shown, 0.002f, 0, 0.01f), shown).verdict, Verdict::kUndetermined);
  EXPECT_EQ(judge_light(make_film({}), shown).verdict, Verdict::kUndetermined);
}

// All sequences begin with black, and many share more: what they have in common must not be enough.
TEST(Light, AnotherSequenceHardlyEverFits) {
  constexpr int kSessions = 400;
  constexpr float kShake = 0.004f;
  int genuine = 0, recorded = 0;
  for (int i = 0; i < kSessions; ++i) {
    std::vector<uint8_t> nonce(32, 1), other(32, 2);
    for (auto* bytes : {&nonce, &other}) std::memcpy(bytes->data(), &i, sizeof i);
    const LightSequence shown = light_sequence(nonce);
    genuine += judge_light(lit(shown, 0.1f, 0.01f, kShake), shown).verdict == Verdict::kPass;
    recorded += judge_light(lit(light_sequence(other), 0.1f, 0.01f, kShake), shown).verdict == Verdict::kPass;
  }
  EXPECT_EQ(genuine, kSessions);
  EXPECT_LE(recorded, kSessions / 100);
}

TEST(Light, WithoutABackgroundNobodyKnows) {
  const std::vector<uint8_t> nonce(32, 1);
  const LightSequence shown = light_sequence(nonce);
  auto film = lit(shown, 0.1f, 0.01f);
  for (Observation& frame : film) frame.background = {};
  EXPECT_EQ(judge_light(film, shown).verdict, Verdict::kUndetermined);
}

TEST(Light, NeighboursDifferAndNoncesToo) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    std::vector<uint8_t> nonce(32, static_cast<uint8_t>(i));
    std::string text;
    const LightSequence colours = light_sequence(nonce);
    for (size_t j = 0; j < kLightSteps; ++j) {
      text += std::to_string(static_cast<int>(colours[j].r) * 4 + static_cast<int>(colours[j].g) * 2 +
                             static_cast<int>(colours[j].b));
      EXPECT_TRUE(j == 0 || text[j] != text[j - 1]);
    }
    EXPECT_EQ(text[0], '0');
    seen.insert(text);
  }
  EXPECT_GT(seen.size(), 150u);
}

Reason injected(Observations frames, const Origin& origin = {}) {
  return judge_injection(frames, origin).reason;
}

TEST(Injection, ACameraPasses) {
  EXPECT_EQ(injected(make_film({kLeft, kNod})), Reason::kNone);
  EXPECT_EQ(judge_injection(make_film({kLeft}), {}).verdict, Verdict::kPass);
}

TEST(Injection, OnePictureForMany) {
  auto film = make_film({kLeft});
  for (Observation& frame : film) frame.pixels = film[0].pixels;
  EXPECT_EQ(injected(film), Reason::kStillFrames);
}

TEST(Injection, TheSameFrameReadTwiceIsNoAttack) {
  auto film = make_film({kLeft});
  film[3].pixels = film[2].pixels;
  EXPECT_EQ(injected(film), Reason::kNone);
}

TEST(Injection, ALoop) {
  auto film = make_film({kLeft});
  film[8].pixels = film[2].pixels;
  EXPECT_EQ(injected(film), Reason::kLoop);
  // Encoded again: other pixels, the same noise.
  film = make_film({kLeft});
  for (size_t i = 6; i < film.size(); ++i) film[i].grain = film[i - 5].grain;
  EXPECT_EQ(injected(film), Reason::kLoop);
}

TEST(Injection, NoiseThatStays) {
  auto film = make_film({kLeft});
  for (size_t i = 1; i < film.size(); ++i)
    for (size_t j = 0; j < film[i].grain.size(); ++j)
      film[i].grain[j] = film[0].grain[j] + 0.3f * film[i].grain[j];
  EXPECT_EQ(injected(film), Reason::kSameNoise);
}

// The grain of a face at rest is its skin's texture more than noise, in every frame that shows it.
TEST(Injection, SkinIsTheSameInEveryFrameAtRest) {
  auto film = make_film({kLeft, kNod});
  const auto skin = test::make_face({}, 1).grain;
  for (Observation& frame : film) {
    if (frame.pose.yaw > 0 || frame.pose.pitch > 0) continue;
    for (size_t i = 0; i < skin.size(); ++i) frame.grain[i] += 2.7f * skin[i];
  }
  ASSERT_GT(compare_grain(film[0], film[2]).correlation, 0.86f);
  EXPECT_EQ(injected(film), Reason::kNone);
}

// Rough skin leaves little that two frames do not share. What tells a loop is that its frames share even
// that.
TEST(Injection, RoughSkinIsNoLoopAndHidesNone) {
  const auto skin = test::make_face({}, 1).grain;
  const auto rough = [&](std::vector<Observation> film) {
    for (Observation& frame : film)
      if (frame.pose.yaw == 0)
        for (size_t i = 0; i < skin.size(); ++i) frame.grain[i] += 4.5f * skin[i];
    return film;
  };
  auto film = rough(make_film({kLeft}));
  ASSERT_GT(compare_grain(film[0], film[2]).correlation, 0.93f);
  EXPECT_EQ(injected(film), Reason::kNone);
  const auto noise = make_film({kRight});
  for (size_t i = 6; i < film.size(); ++i) {
    film[i].grain = film[i - 5].grain;
    for (size_t j = 0; j < skin.size(); ++j) film[i].grain[j] += 0.2f * noise[i].grain[j];
  }
  EXPECT_EQ(injected(film), Reason::kLoop);
}

TEST(Injection, PicturesWithoutNoiseAreUndetermined) {
  auto film = make_film({kLeft});
  for (Observation& frame : film) frame.grain.assign(kGrain * kGrain, 0);
  EXPECT_EQ(injected(film), Reason::kTooSmooth);
}

TEST(Injection, TimesThatCannotBe) {
  for (const int64_t step : {int64_t{0}, int64_t{-5}, int64_t{1000}, int64_t{10'000'000}}) {
    auto film = make_film({kLeft});
    film[5].time_us = film[4].time_us + step;
    EXPECT_EQ(injected(film), Reason::kTimes) << step;
  }
  EXPECT_EQ(injected(make_film({kLeft}), {.device = "", .most_us = 500'000}), Reason::kTimes);
}

TEST(Injection, DevicesAndEditors) {
  EXPECT_TRUE(is_virtual_camera("OBS Virtual Camera"));
  EXPECT_TRUE(is_virtual_camera("Dummy video device (0x0000)"));
  EXPECT_TRUE(is_virtual_camera("ManyCam"));
  for (const char* real : {"FaceTime HD Camera", "Integrated Camera (04f2:b6be)", "camera2 1, facing front",
                           "OBSBOT Tiny 4K", "Logitech BRIO", ""})
    EXPECT_FALSE(is_virtual_camera(real)) << real;
  EXPECT_EQ(injected(make_film({}), {.device = "v4l2loopback"}), Reason::kVirtualCamera);
  EXPECT_EQ(injected(make_film({}), {.device = "", .edited = true}), Reason::kEditor);
}

TEST(Passive, TheMedianOfFrontalFramesDecides) {
  auto film = make_film({kLeft});
  EXPECT_EQ(judge_passive(film).verdict, Verdict::kPass);
  for (Observation& frame : film)
    if (frame.pose.yaw > 12) frame.live = 0;
  EXPECT_EQ(judge_passive(film).verdict, Verdict::kPass);
  for (Observation& frame : film) frame.live = 0.2f;
  film[0].live = 1;
  EXPECT_EQ(judge_passive(film).reason, Reason::kNetwork);
  EXPECT_EQ(judge_passive({}).verdict, Verdict::kUndetermined);
}

// The colours of the light challenge make a live face look like a print: where there are frames without,
// those decide.
TEST(Passive, FramesThatTheScreenColoursDoNotDecide) {
  auto film = make_film({});
  for (size_t i = 0; i < film.size(); ++i) {
    film[i].light_step = i < 2 ? 0 : static_cast<int>(i);
    film[i].live = i < 2 ? 0.9f : 0.1f;
  }
  EXPECT_EQ(judge_passive(film).verdict, Verdict::kPass);
  for (Observation& frame : film) frame.live = 1 - frame.live;
  EXPECT_EQ(judge_passive(film).reason, Reason::kNetwork);
  // Nothing else to judge by.
  for (Observation& frame : film) {
    frame.light_step = 1;
    frame.live = 0.9f;
  }
  EXPECT_EQ(judge_passive(film).verdict, Verdict::kPass);
}

TEST(Texture, Dots) {
  auto film = make_film({});
  EXPECT_EQ(judge_texture(film).verdict, Verdict::kPass);
  for (Observation& frame : film) frame.peaks = 30;
  EXPECT_EQ(judge_texture(film).reason, Reason::kPeriodicDots);
}

TEST(Fusion, AnyFailureFailsAndDemandsAreMet) {
  const Outcome passes[] = {pass(Method::kPassive, 0.8f), pass(Method::kChallenge)};
  EXPECT_EQ(fuse(passes, {Method::kPassive}).verdict, Verdict::kPass);
  EXPECT_EQ(fuse(passes, {Method::kDepth}).verdict, Verdict::kUndetermined);
  const Outcome mixed[] = {pass(Method::kPassive), fail(Method::kLight, Reason::kColourAbsent)};
  EXPECT_EQ(fuse(mixed, {}).reason, Reason::kColourAbsent);
  const Outcome open[] = {pass(Method::kPassive), undetermined(Method::kDepth, Reason::kNoDepth)};
  EXPECT_EQ(fuse(open, {}).verdict, Verdict::kPass);
  EXPECT_EQ(fuse(open, {Method::kDepth}).reason, Reason::kNoDepth);
  EXPECT_EQ(fuse({}, {}).verdict, Verdict::kUndetermined);

  probe::Contents contents{};
  keep(open, {Method::kDepth}, contents);
  ASSERT_EQ(contents.liveness_count, 2);
  EXPECT_EQ(contents.liveness[1].method, Method::kDepth);
  EXPECT_EQ(contents.liveness[1].value, 0);
  // Once more as a measure, which a channel can demand, and why.
  ASSERT_EQ(contents.quality_count, 2);
  EXPECT_EQ(contents.quality[0].measure, probe::Measure::kLivenessDepth);
  EXPECT_EQ(contents.quality[1].measure, probe::Measure::kLivenessReason);
  EXPECT_EQ(contents.quality[1].native, static_cast<float>(Reason::kNoDepth));
  keep(open, {}, contents);
  EXPECT_EQ(contents.liveness_count, 1);
}

// A channel may take either answer to its session: the better of those that passed.
TEST(Fusion, EitherAnswerIsActive) {
  const auto active = [](std::span<const Outcome> outcomes) {
    probe::Contents contents{};
    keep(outcomes, {}, contents);
    for (size_t i = 0; i < contents.quality_count; ++i)
      if (contents.quality[i].measure == probe::Measure::kLivenessActive) return contents.quality[i].native;
    return -1.0f;
  };
  const Outcome neither[] = {pass(Method::kPassive), undetermined(Method::kLight, Reason::kTooBright)};
  const Outcome failed[] = {fail(Method::kChallenge, Reason::kMovementMissing, 0.4f)};
  const Outcome light[] = {pass(Method::kLight, 0.7f)};
  const Outcome both[] = {pass(Method::kLight, 0.7f), pass(Method::kChallenge, 0.9f)};
  EXPECT_EQ(active(neither), -1);
  EXPECT_EQ(active(failed), -1);
  EXPECT_FLOAT_EQ(active(light), 0.7f);
  EXPECT_FLOAT_EQ(active(both), 0.9f);
}

}  // namespace
}  // namespace visage::liveness
