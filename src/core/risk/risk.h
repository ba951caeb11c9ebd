// Risk rules and deny-lists: what the circumstances of a call ask for, beside the face.   [8.1.4c] [8.1.4d]
//
// What the scenario takes in any case comes first, then deny-lists; nothing overrides either. Then the rules,
// in their order: each that applies to the call's operation, channel and scenario, and whose signal is there,
// fires. A fired `allow` ends the evaluation; of the others the strictest holds. Everything that fired is
// kept, so that a decision can be explained.
//
// Pure: what a rule compares with is handed in, and all memory is the caller's. Evaluating never fails.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/risk/intervals.h"
#include "core/risk/place.h"

namespace visage::risk {

// Labels are those of enum visage.risk_signal, sql/install/86_risk.sql.
enum class Signal : uint8_t {
  kAlways,
  kAddress,
  kCountry,
  kPlace,
  kHours,
  kDevice,
  kMac,
  // What follows needs the subject's past.
  kNewDevice,
  kNewAddress,
  kFailures,
  kAttempts,
  kDistance,
  kSpeed,
  kCount,
};
// Labels are those of enum visage.risk_action; in the order of strictness.
enum class Action : uint8_t { kAllow, kRequireFace, kRequireFactors, kDeny, kCount };

const char* label(Signal signal);
const char* label(Action action);
bool find_signal(std::string_view label, Signal& out);
bool find_action(std::string_view label, Action& out);
bool needs_past(Signal signal);

struct Hash {
  uint8_t bytes[16];

  friend auto operator<=>(const Hash&, const Hash&) = default;
};

// One thing that is listed: sorted by value, so that it is found by bisection.
template <typename Value>
struct Listed {
  Value value;
  int64_t expires_at;
  uint32_t entry;
};
struct ListedWindow {
  Window window;
  uint16_t zone;  // number of a time zone, see Inputs::local
  int64_t expires_at;
  uint32_t entry;
};

// An entry's name; lists refer to it by its place.
struct EntryName {
  uint32_t id;
  uint32_t version;
};

struct DenyLists {
  std::span<const EntryName> entries;
  std::span<const Range> addresses;  // segments
  std::span<const Listed<Hash>> address_hashes;
  std::span<const Listed<Hash>> devices;
  std::span<const Listed<std::string_view>> countries;
  std::span<const Listed<std::string_view>> places;
  std::span<const Listed<uint64_t>> macs;
  std::span<const ListedWindow> hours;
};

struct Rule {
  uint32_t id;
  uint32_t version;
  Signal signal;
  Action action;
  uint8_t factors;    // further factors beside the face, of kRequireFactors
  bool outside;       // fires when the value is not in the set, the time not in the window, the device known
  bool when_missing;  // fires when the caller did not say
  std::string_view operation;  // these three: empty is any
  std::string_view channel;
  std::string_view scenario;
  std::span<const Range> addresses;         // segments
  std::span<const std::string_view> names;  // countries or places, sorted
  std::span<const Hash> devices;            // sorted
  std::span<const uint64_t> macs;           // sorted
  Window window;
  uint16_t zone;
  double at_least;  // count, km or km/h
  int64_t period;   // how far back, µs
};

struct RuleSet {
  DenyLists denied;
  std::span<const Rule> rules;  // in their order
};

// What the caller said of one circumstance. Unknown is for replays: history does not keep it.
enum class Known : uint8_t { kMissing, kGiven, kUnknown };

struct Inputs {
  int64_t now;  // µs
  std::string_view operation;
  std::string_view channel;
  std::string_view scenario;
  uint8_t scenario_factors;  // that the scenario takes in any case
  Known has_address;
  Address address;
  Known has_address_hash;
  Hash address_hash;
  Known has_device;
  Hash device;
  Known has_country;
  std::string_view country;
  Known has_place;
  std::string_view place;
  Known has_mac;
  uint64_t mac;
  Known has_position;
  Position position;
  std::span<const LocalTime> local;  // now, by zone; zone 0 is the caller's
  Known has_zone;                    // of zone 0; all others are known
};

// An earlier attempt of the subject that was scored.
struct Sighting {
  int64_t at;
  bool accepted;
  bool has_device;
  bool has_address;
  bool has_position;
  Hash device;
  Hash address;
  Position position;  // coarse
};
// Newest first. A null pointer: not read yet.
struct Past {
  const Sighting* sightings;
  size_t count;
};

enum class Source : uint8_t { kRule, kEntry, kScenario };

struct Fired {
  Source source;
  uint32_t id;  // of a rule or of a deny-list's entry
  uint32_t version;
  Signal signal;
  Action action;
  uint8_t factors;
  bool missing;    // because the caller did not say
  double measure;  // what was compared with at_least
};
inline constexpr size_t kMaxFired = 16;

struct Verdict {
  Action action;
  uint8_t factors;  // further factors asked for, the most of those that fired
  bool face;        // a face check is asked for, or more than that
  bool needs_past;  // a rule was reached that needs the past, and it was not there: read it, evaluate again
  bool uncertain;   // of a replay: a rule whose circumstance is unknown could have changed the outcome
  uint32_t fired_count;
  Fired fired[kMaxFired];
};

void evaluate(const RuleSet& rules, const Inputs& inputs, const Past* past, Verdict& out);

// 0 nothing, 1 a face check, 2 further factors, 3 denied: what a chain of factors is chosen by.   [6.6e]
int level(const Verdict& verdict);

// What fired, as the event's note has it and visage.explain_decision reads it (docs/policy.md). At most
// `out.size()` bytes, whole parts only; returns the length, 0 when nothing fired.
size_t describe(const Verdict& verdict, std::span<char> out);

// Below this a speed means nothing: both ends are coarse, and people take the train.
inline constexpr double kLeastTravelKm = 50;

}  // namespace visage::risk
