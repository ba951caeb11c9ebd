// What the circumstances of a call ask for. [8.1.4c] [8.1.4d]
#include "core/risk/risk.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace visage::risk {
namespace {

constexpr int64_t kMinute = 60 * 1000000LL;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kNow = 1000000 * kHour;
constexpr Position kShanghai = {31.23, 121.47};
constexpr Position kParis = {48.857, 2.352};
constexpr Position kSuzhou = {31.30, 120.58};

Hash hash(uint8_t value) {
  return {{value, 1, 2, 3}};
}

Rule rule(Signal signal, Action action, uint32_t id = 1) {
  Rule out = {};
  out.id = id;
  out.version = 1;
  out.signal = signal;
  out.action = action;
  out.at_least = 1;
  out.period = 24 * kHour;
  return out;
}

Inputs inputs() {
  Inputs out = {};
  out.now = kNow;
  out.operation = "verify";
  out.channel = "web";
  out.scenario = "login";
  return out;
}

Inputs somewhere(const Position& position) {
  Inputs out = inputs();
  out.has_position = Known::kGiven;
  out.position = position;
  return out;
}

Sighting sighting(int64_t ago, bool accepted, int device = -1, const Position* position = nullptr) {
  Sighting out = {};
  out.at = kNow - ago;
  out.accepted = accepted;
  out.has_device = device >= 0;
  if (device >= 0) out.device = hash(static_cast<uint8_t>(device));
  out.has_position = position != nullptr;
  if (position != nullptr) out.position = coarse(*position);
  return out;
}

Verdict ask(const std::vector<Rule>& rules, const Inputs& in, const std::vector<Sighting>& past = {},
            const DenyLists& denied = {}) {
  const Past seen = {past.data(), past.size()};
  Verdict out;
  evaluate({denied, rules}, in, &seen, out);
  return out;
}

std::string note(const Verdict& verdict, size_t room = 255) {
  std::string out(room, '?');
  out.resize(describe(verdict, out));
  return out;
}

TEST(RiskPlace, DistancesOfTheGlobe) {
  EXPECT_NEAR(distance_km(kShanghai, kParis), 9260, 30);
  EXPECT_NEAR(distance_km(kParis, kShanghai), distance_km(kShanghai, kParis), 1e-6);
  EXPECT_EQ(distance_km(kParis, kParis), 0);
  EXPECT_NEAR(distance_km({0, 179.9}, {0, -179.9}), 22.2, 0.1);  // across the date line
  EXPECT_NEAR(distance_km({90, 0}, {90, 135}), 0, 1e-6);         // at the pole every longitude is one place
  EXPECT_NEAR(distance_km({0, 0}, {0, 180}), 20015, 1);          // antipodes, where rounding may pass 1
}

TEST(RiskPlace, WhatIsKeptIsCoarse) {
  const Position kept = coarse({31.2345678, -121.4745});
  EXPECT_NEAR(kept.latitude, 31.2, 1e-9);
  EXPECT_NEAR(kept.longitude, -121.5, 1e-9);
  EXPECT_LT(distance_km({31.25, 121.45}, coarse({31.25, 121.45})), 8);
}

TEST(RiskPlace, WindowsOfTheWeek) {
  constexpr uint8_t kEveryDay = 0x7F;
  const Window office = {9 * 60, 17 * 60, 0x1F};
  EXPECT_TRUE(within(office, {0, 9 * 60}));
  EXPECT_TRUE(within(office, {4, 17 * 60 - 1}));
  EXPECT_FALSE(within(office, {4, 17 * 60}));
  EXPECT_FALSE(within(office, {0, 9 * 60 - 1}));
  EXPECT_FALSE(within(office, {5, 12 * 60}));
  // Past midnight: the morning belongs to the evening before, Sunday's to Monday's morning.
  const Window sunday_night = {22 * 60, 6 * 60, 1 << 6};
  EXPECT_TRUE(within(sunday_night, {6, 23 * 60}));
  EXPECT_TRUE(within(sunday_night, {0, 5 * 60 + 59}));
  EXPECT_FALSE(within(sunday_night, {0, 6 * 60}));
  EXPECT_FALSE(within(sunday_night, {6, 5 * 60}));
  EXPECT_FALSE(within(sunday_night, {0, 23 * 60}));
  EXPECT_TRUE(within({0, 0, kEveryDay}, {3, 0}));
  EXPECT_TRUE(within({600, 600, kEveryDay}, {3, 599}));
  EXPECT_FALSE(within({600, 600, 1}, {3, 599}));
}

TEST(Risk, NothingAsksForNothing) {
  const Verdict verdict = ask({}, inputs());
  EXPECT_EQ(verdict.action, Action::kAllow);
  EXPECT_EQ(verdict.fired_count, 0u);
  EXPECT_FALSE(verdict.face);
  EXPECT_EQ(note(verdict), "");
}

TEST(Risk, LabelsAreThereAndBack) {
  for (int i = 0; i < static_cast<int>(Signal::kCount); ++i) {
    Signal signal;
    ASSERT_TRUE(find_signal(label(static_cast<Signal>(i)), signal));
    EXPECT_EQ(static_cast<int>(signal), i);
  }
  for (int i = 0; i < static_cast<int>(Action::kCount); ++i) {
    Action action;
    ASSERT_TRUE(find_action(label(static_cast<Action>(i)), action));
    EXPECT_EQ(static_cast<int>(action), i);
  }
  Signal signal;
  EXPECT_FALSE(find_signal("", signal));
}

// [6.6e]
TEST(Risk, TheStrictestHoldsAndTheMostFactorsCount) {
  Rule one = rule(Signal::kAlways, Action::kRequireFactors, 1);
  one.factors = 1;
  Rule two = rule(Signal::kAlways, Action::kRequireFactors, 2);
  two.factors = 2;
  Verdict verdict = ask({two, one, rule(Signal::kAlways, Action::kRequireFace, 3)}, inputs());
  EXPECT_EQ(verdict.action, Action::kRequireFactors);
  EXPECT_EQ(verdict.factors, 2);
  EXPECT_EQ(level(verdict), 2);
  EXPECT_TRUE(verdict.face);
  EXPECT_EQ(verdict.fired_count, 3u);
  verdict = ask({two, rule(Signal::kAlways, Action::kDeny, 3), one}, inputs());
  EXPECT_EQ(level(verdict), 3);
  EXPECT_EQ(verdict.fired_count, 3u);
}

TEST(Risk, AnAllowEndsTheRulesBehindItAndLiftsNothingBefore) {
  Rule factors = rule(Signal::kAlways, Action::kRequireFactors, 1);
  factors.factors = 1;
  const Rule allow = rule(Signal::kAlways, Action::kAllow, 2);
  const Rule deny = rule(Signal::kAlways, Action::kDeny, 3);
  EXPECT_EQ(level(ask({allow, deny}, inputs())), 0);
  EXPECT_EQ(level(ask({factors, allow, deny}, inputs())), 2);
  EXPECT_EQ(level(ask({deny, allow}, inputs())), 3);
}

TEST(Risk, AScenariosOwnFactorsHoldWhateverIsAllowed) {
  Inputs in = inputs();
  in.scenario_factors = 1;
  const Verdict verdict = ask({rule(Signal::kAlways, Action::kAllow)}, in);
  EXPECT_EQ(verdict.factors, 1);
  EXPECT_EQ(level(verdict), 2);
  EXPECT_EQ(note(verdict), "risk 2; scenario require_factors:1 always; rule 1.1 allow always");
}

TEST(Risk, ARuleIsAskedWhereItBelongsAlone) {
  for (std::string_view Rule::*field : {&Rule::operation, &Rule::channel, &Rule::scenario}) {
    Rule here = rule(Signal::kAlways, Action::kDeny);
    here.*field = field == &Rule::operation ? "verify" : field == &Rule::channel ? "web" : "login";
    EXPECT_EQ(level(ask({here}, inputs())), 3);
    here.*field = "elsewhere";
    EXPECT_EQ(level(ask({here}, inputs())), 0);
  }
}

TEST(Risk, WhatIsMissingFiresOnlyWhereTheRuleSaysSo) {
  for (int i = 1; i < static_cast<int>(Signal::kCount); ++i) {
    Rule asked = rule(static_cast<Signal>(i), Action::kDeny);
    if (asked.signal == Signal::kFailures || asked.signal == Signal::kAttempts) continue;
    EXPECT_EQ(level(ask({asked}, inputs())), 0) << label(asked.signal);
    asked.outside = true;
    EXPECT_EQ(level(ask({asked}, inputs())), 0) << label(asked.signal);
    asked.when_missing = true;
    const Verdict verdict = ask({asked}, inputs());
    EXPECT_EQ(level(verdict), 3) << label(asked.signal);
    EXPECT_EQ(note(verdict), std::string("risk 3; rule 1.1 deny ") + label(asked.signal) + "=missing");
  }
}

TEST(Risk, DenyListsComeFirstAndNothingOverridesThem) {
  const EntryName names[] = {{41, 1}, {42, 3}};
  const Listed<Hash> devices[] = {{hash(1), kForEver, 0}, {hash(2), kNow, 1}};
  const Listed<std::string_view> places[] = {{"mall", kNow + 1, 1}};
  DenyLists denied = {};
  denied.entries = names;
  denied.devices = devices;
  denied.places = places;
  Inputs in = inputs();
  in.has_device = Known::kGiven;
  in.device = hash(1);
  const Rule allow = rule(Signal::kAlways, Action::kAllow);
  EXPECT_EQ(note(ask({allow}, in, {}, denied)), "risk 3; entry 41.1 deny device");
  in.device = hash(3);
  EXPECT_EQ(level(ask({}, in, {}, denied)), 0);
  // Until it expires, not a moment longer.
  in.device = hash(2);
  EXPECT_EQ(level(ask({}, in, {}, denied)), 0);
  in.has_place = Known::kGiven;
  in.place = "mall";
  EXPECT_EQ(note(ask({allow}, in, {}, denied)), "risk 3; entry 42.3 deny place");
  in.now = kNow + 1;
  EXPECT_EQ(level(ask({}, in, {}, denied)), 0);
}

TEST(Risk, DeniedHoursAreInTheirZone) {
  const EntryName names[] = {{7, 1}};
  const ListedWindow hours[] = {{{0, 6 * 60, 0x7F}, 1, kForEver, 0}};
  DenyLists denied = {};
  denied.entries = names;
  denied.hours = hours;
  Inputs in = inputs();
  LocalTime local[] = {{0, 5 * 60}, {0, 7 * 60}};
  in.local = local;
  EXPECT_EQ(level(ask({}, in, {}, denied)), 0);
  local[1].minute = 5 * 60;
  EXPECT_EQ(level(ask({}, in, {}, denied)), 3);
}

TEST(Risk, ADeviceIsNewWhenOthersAreUsual) {
  Rule asked = rule(Signal::kNewDevice, Action::kRequireFace);
  asked.at_least = 2;
  Inputs in = inputs();
  in.has_device = Known::kGiven;
  in.device = hash(9);
  EXPECT_EQ(level(ask({asked}, in)), 0);
  EXPECT_EQ(level(ask({asked}, in, {sighting(1, true, 1)})), 0);
  EXPECT_EQ(level(ask({asked}, in, {sighting(1, true, 1), sighting(2, true, 1)})), 1);
  EXPECT_EQ(level(ask({asked}, in, {sighting(1, true, 1), sighting(2, true, 9)})), 0);
  // A rejected call makes no device usual, nor does one of long ago, nor one without a device.
  EXPECT_EQ(level(ask({asked}, in, {sighting(1, true, 1), sighting(2, true, 1), sighting(3, false, 9)})), 1);
  EXPECT_EQ(level(ask({asked}, in, {sighting(1, true, 1), sighting(25 * kHour, true, 1)})), 0);
  EXPECT_EQ(level(ask({asked}, in, {sighting(1, true), sighting(2, true)})), 0);
  // Turned around: known, for rules that let through.
  asked.outside = true;
  EXPECT_EQ(level(ask({asked}, in)), 0);
  EXPECT_EQ(level(ask({asked}, in, {sighting(1, true, 9)})), 1);
}

TEST(Risk, FailuresAndAttemptsCountWithinTheirPeriod) {
  Rule failures = rule(Signal::kFailures, Action::kDeny);
  failures.at_least = 2;
  failures.period = kHour;
  const std::vector<Sighting> past = {sighting(1, false), sighting(2, true), sighting(kHour, false),
                                      sighting(kHour + 1, false)};
  EXPECT_EQ(note(ask({failures}, inputs(), past)), "risk 3; rule 1.1 deny failures=2");
  failures.at_least = 3;
  EXPECT_EQ(level(ask({failures}, inputs(), past)), 0);
  failures.signal = Signal::kAttempts;
  EXPECT_EQ(level(ask({failures}, inputs(), past)), 3);
  failures.at_least = 4;
  EXPECT_EQ(level(ask({failures}, inputs(), past)), 0);
}

TEST(Risk, DistanceIsFromTheNearestUsualPlace) {
  Rule asked = rule(Signal::kDistance, Action::kDeny);
  asked.at_least = 500;
  EXPECT_EQ(level(ask({asked}, somewhere(kParis), {sighting(1, true, -1, &kShanghai)})), 3);
  EXPECT_EQ(level(ask({asked}, somewhere(kSuzhou), {sighting(1, true, -1, &kShanghai)})), 0);
  EXPECT_EQ(level(ask({asked}, somewhere(kParis),
                      {sighting(1, true, -1, &kShanghai), sighting(2, true, -1, &kParis)})),
            0);
  EXPECT_EQ(level(ask({asked}, somewhere(kParis), {sighting(1, false, -1, &kShanghai)})), 0);
  EXPECT_EQ(level(ask({asked}, somewhere(kParis))), 0);
}

TEST(Risk, SpeedIsSinceTheLastAcceptedPlace) {
  Rule asked = rule(Signal::kSpeed, Action::kDeny);
  asked.at_least = 1000;
  // Some 9,260 km: ten hours are a flight, nine are not.
  EXPECT_EQ(level(ask({asked}, somewhere(kParis), {sighting(10 * kHour, true, -1, &kShanghai)})), 0);
  EXPECT_EQ(level(ask({asked}, somewhere(kParis), {sighting(9 * kHour, true, -1, &kShanghai)})), 3);
  // An impostor who was rejected elsewhere has not moved anybody.
  EXPECT_EQ(level(ask({asked}, somewhere(kShanghai),
                      {sighting(kMinute, false, -1, &kParis), sighting(9 * kHour, true, -1, &kShanghai)})),
            0);
  // Two coarse places nearby look fast within seconds.
  const Position next_door = {31.23, 121.57};
  EXPECT_EQ(level(ask({asked}, somewhere(next_door), {sighting(1, true, -1, &kShanghai)})), 0);
  // A clock that went back.
  EXPECT_EQ(level(ask({asked}, somewhere(kParis), {sighting(-kHour, true, -1, &kShanghai)})), 3);
}

TEST(Risk, ThePastIsAskedForOnlyWhereARuleIsReachedThatNeedsIt) {
  const Rule failures = rule(Signal::kFailures, Action::kDeny, 1);
  const auto reached = [](const std::vector<Rule>& rules, const Inputs& in) {
    Verdict verdict;
    evaluate({{}, rules}, in, nullptr, verdict);
    return verdict.needs_past;
  };
  EXPECT_TRUE(reached({failures}, inputs()));
  EXPECT_FALSE(reached({rule(Signal::kAlways, Action::kAllow, 2), failures}, inputs()));
  Rule elsewhere = failures;
  elsewhere.channel = "counter";
  EXPECT_FALSE(reached({elsewhere}, inputs()));
  EXPECT_FALSE(reached({rule(Signal::kNewDevice, Action::kDeny)}, inputs()));  // no device was named
}

TEST(Risk, AReplayIsUncertainOnlyWhereTheUnknownCouldMatter) {
  Inputs in = inputs();
  in.has_country = Known::kUnknown;
  Rule country = rule(Signal::kCountry, Action::kDeny);
  EXPECT_TRUE(ask({country}, in).uncertain);
  EXPECT_FALSE(ask({country, rule(Signal::kAlways, Action::kDeny, 2)}, in).uncertain);
  country.action = Action::kRequireFace;
  EXPECT_FALSE(ask({country, rule(Signal::kAlways, Action::kDeny, 2)}, in).uncertain);
  country.action = Action::kAllow;
  EXPECT_TRUE(ask({country, rule(Signal::kAlways, Action::kDeny, 2)}, in).uncertain);
  EXPECT_FALSE(ask({country}, in).uncertain);
  in.has_country = Known::kMissing;
  EXPECT_FALSE(ask({country, rule(Signal::kAlways, Action::kDeny, 2)}, in).uncertain);
}

TEST(Risk, AReplayWithoutAPastIsCertain) {
  Inputs in = inputs();
  in.has_position = Known::kUnknown;
  Rule speed = rule(Signal::kSpeed, Action::kDeny);
  EXPECT_FALSE(ask({speed}, in).uncertain);
  EXPECT_TRUE(ask({speed}, in, {sighting(1, true, -1, &kParis)}).uncertain);
  speed.when_missing = true;
  EXPECT_TRUE(ask({speed}, in).uncertain);
}

// The note has no room for all of many rules; what decided is in it.
TEST(Risk, TheNoteKeepsWhatDecidedAndSaysHowMuchItLeftOut) {
  std::vector<Rule> many;
  for (uint32_t i = 1; i <= 40; ++i) many.push_back(rule(Signal::kAlways, Action::kRequireFace, i));
  many.push_back(rule(Signal::kAlways, Action::kDeny, 2000000000));
  const Verdict verdict = ask(many, inputs());
  EXPECT_EQ(verdict.fired_count, 41u);
  const std::string text = note(verdict);
  EXPECT_LE(text.size(), 255u);
  EXPECT_EQ(text.rfind("risk 3; rule 2000000000.1 deny always; rule 1.1 require_face always", 0), 0u) << text;
  EXPECT_EQ(text.find(" more"), text.size() - 5);
  for (size_t room = 0; room < 300; ++room) {
    const std::string cut = note(verdict, room);
    EXPECT_LE(cut.size(), room);
    EXPECT_TRUE(cut.empty() || cut.ends_with(" more")) << cut;
  }
}

}  // namespace
}  // namespace visage::risk
