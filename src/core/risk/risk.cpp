#include "core/risk/risk.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace visage::risk {
namespace {

constexpr std::string_view kSignals[] = {"always",   "address",  "country",    "place",       "hours",
                                         "device",   "mac",      "new_device", "new_address", "failures",
                                         "attempts", "distance", "speed"};
constexpr std::string_view kActions[] = {"allow", "require_face", "require_factors", "deny"};
static_assert(std::size(kSignals) == static_cast<size_t>(Signal::kCount));
static_assert(std::size(kActions) == static_cast<size_t>(Action::kCount));

constexpr double kMicrosecondsPerHour = 3600e6;

template <typename Value>
const Listed<Value>* find_listed(std::span<const Listed<Value>> list, const Value& value) {
  const auto found = std::lower_bound(list.begin(), list.end(), value,
                                      [](const Listed<Value>& a, const Value& b) { return a.value < b; });
  return found != list.end() && found->value == value ? &*found : nullptr;
}

template <typename Value>
bool contains(std::span<const Value> sorted, const Value& value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

// Of more than there is room for, the stricter stay, and the earlier of equals.
void keep(const Fired& fired, Verdict& out) {
  const size_t place = out.fired_count++;
  if (place < kMaxFired) {
    out.fired[place] = fired;
    return;
  }
  Fired* laxest = out.fired;
  for (Fired& other : out.fired)
    if (other.action <= laxest->action) laxest = &other;
  if (laxest->action < fired.action) *laxest = fired;
}

class Evaluation {
 public:
  Evaluation(const RuleSet& rules, const Inputs& inputs, const Past* past, Verdict& out)
      : rules_(rules), in_(inputs), past_(past), out_(out) {}

  void run() {
    if (in_.scenario_factors > 0)
      demand({Source::kScenario, 0, 0, Signal::kAlways, Action::kRequireFactors, in_.scenario_factors, false,
              0});
    ask_deny_lists();
    if (out_.action == Action::kDeny) return;
    for (const Rule& rule : rules_.rules)
      if (applies(rule) && ask(rule)) break;
    // Unknown matters only where it could have been stricter than what holds, or an end to it.
    out_.uncertain =
        worst_unknown_ > static_cast<int>(out_.action) || (unknown_allow_ && out_.action != Action::kAllow);
  }

 private:
  void deny(Signal signal, uint32_t entry) {
    const EntryName& name = rules_.denied.entries[entry];
    demand({Source::kEntry, name.id, name.version, signal, Action::kDeny, 0, false, 0});
  }

  void demand(const Fired& fired) {
    keep(fired, out_);
    out_.action = std::max(out_.action, fired.action);
    out_.factors = std::max(out_.factors, fired.factors);
    out_.face = true;
  }

  template <typename Entry>
  void ask_list(Signal signal, Known known, bool any, const Entry* found) {
    if (known == Known::kUnknown && any) worst_unknown_ = static_cast<int>(Action::kDeny);
    if (known == Known::kGiven && found != nullptr && found->expires_at > in_.now) deny(signal, found->entry);
  }

  void ask_deny_lists() {
    const DenyLists& d = rules_.denied;
    ask_list(Signal::kAddress, in_.has_address, !d.addresses.empty(), find_segment(d.addresses, in_.address));
    ask_list(Signal::kAddress, in_.has_address_hash, !d.address_hashes.empty(),
             find_listed(d.address_hashes, in_.address_hash));
    ask_list(Signal::kDevice, in_.has_device, !d.devices.empty(), find_listed(d.devices, in_.device));
    ask_list(Signal::kCountry, in_.has_country, !d.countries.empty(), find_listed(d.countries, in_.country));
    ask_list(Signal::kPlace, in_.has_place, !d.places.empty(), find_listed(d.places, in_.place));
    ask_list(Signal::kMac, in_.has_mac, !d.macs.empty(), find_listed(d.macs, in_.mac));
    for (const ListedWindow& entry : d.hours) {
      const Known known = time_known(entry.zone);
      const bool inside = known == Known::kGiven && within(entry.window, in_.local[entry.zone]);
      ask_list(Signal::kHours, known, true, inside ? &entry : nullptr);
    }
  }

  Known time_known(uint16_t zone) const { return zone == 0 ? in_.has_zone : Known::kGiven; }

  bool applies(const Rule& rule) const {
    return (rule.operation.empty() || rule.operation == in_.operation) &&
           (rule.channel.empty() || rule.channel == in_.channel) &&
           (rule.scenario.empty() || rule.scenario == in_.scenario);
  }

  Known known(const Rule& rule) const {
    switch (rule.signal) {
      case Signal::kAddress:
        return in_.has_address;
      case Signal::kCountry:
        return in_.has_country;
      case Signal::kPlace:
        return in_.has_place;
      case Signal::kHours:
        return time_known(rule.zone);
      case Signal::kDevice:
      case Signal::kNewDevice:
        return in_.has_device;
      case Signal::kNewAddress:
        return in_.has_address_hash;
      case Signal::kMac:
        return in_.has_mac;
      case Signal::kDistance:
      case Signal::kSpeed:
        return in_.has_position;
      default:
        return Known::kGiven;
    }
  }

  // Returns true when the evaluation ends here.
  bool ask(const Rule& rule) {
    Fired fired = {Source::kRule, rule.id, rule.version, rule.signal, rule.action, 0, false, 0};
    if (rule.action == Action::kRequireFactors) fired.factors = rule.factors;
    switch (known(rule)) {
      case Known::kUnknown:
        if (needs_past(rule.signal) && past_ == nullptr) {
          out_.needs_past = true;
          return false;
        }
        // Compared with nothing it could not have fired.
        if (needs_past(rule.signal) && past_->count == 0 && !rule.when_missing) return false;
        if (rule.action == Action::kAllow)
          unknown_allow_ = true;
        else
          worst_unknown_ = std::max(worst_unknown_, static_cast<int>(rule.action));
        return false;
      case Known::kMissing:
        if (!rule.when_missing) return false;
        fired.missing = true;
        break;
      case Known::kGiven:
        if (needs_past(rule.signal) && past_ == nullptr) {
          out_.needs_past = true;
          return false;
        }
        if (!fires(rule, fired.measure)) return false;
        break;
    }
    if (rule.action == Action::kAllow) {
      keep(fired, out_);
      return true;
    }
    demand(fired);
    return false;
  }

  bool fires(const Rule& rule, double& measure) const {
    switch (rule.signal) {
      case Signal::kAlways:
        return true;
      case Signal::kAddress:
        return (find_segment(rule.addresses, in_.address) != nullptr) != rule.outside;
      case Signal::kCountry:
        return contains(rule.names, in_.country) != rule.outside;
      case Signal::kPlace:
        return contains(rule.names, in_.place) != rule.outside;
      case Signal::kHours:
        return within(rule.window, in_.local[rule.zone]) != rule.outside;
      case Signal::kDevice:
        return contains(rule.devices, in_.device) != rule.outside;
      case Signal::kMac:
        return contains(rule.macs, in_.mac) != rule.outside;
      case Signal::kNewDevice:
        return is_new(rule, in_.device, &Sighting::has_device, &Sighting::device, measure);
      case Signal::kNewAddress:
        return is_new(rule, in_.address_hash, &Sighting::has_address, &Sighting::address, measure);
      case Signal::kFailures:
      case Signal::kAttempts:
        measure = count(rule);
        return measure >= rule.at_least;
      case Signal::kDistance:
        return distance(rule, measure) && measure >= rule.at_least;
      case Signal::kSpeed:
        return speed(rule, measure) && measure >= rule.at_least;
      case Signal::kCount:
        break;
    }
    return false;
  }

  bool recent(const Rule& rule, const Sighting& sighting) const {
    return in_.now - sighting.at <= rule.period;
  }

  // Accepted with another value at least `at_least` times, and never with this one. With too short a past
  // nothing is usual yet, and so nothing unusual.
  bool is_new(const Rule& rule, const Hash& value, bool Sighting::*has, Hash Sighting::*field,
              double& measure) const {
    size_t seen = 0;
    bool same = false;
    for (const Sighting& sighting : sightings()) {
      if (!sighting.accepted || !(sighting.*has) || !recent(rule, sighting)) continue;
      ++seen;
      same = same || sighting.*field == value;
    }
    measure = static_cast<double>(seen);
    if (rule.outside) return same;
    return !same && measure >= std::max(rule.at_least, 1.0);
  }

  double count(const Rule& rule) const {
    return static_cast<double>(
        std::count_if(sightings().begin(), sightings().end(), [&](const Sighting& sighting) {
          return recent(rule, sighting) && !(rule.signal == Signal::kFailures && sighting.accepted);
        }));
  }

  // From the nearest place of an accepted call.
  bool distance(const Rule& rule, double& nearest) const {
    bool found = false;
    for (const Sighting& sighting : sightings()) {
      if (!sighting.accepted || !sighting.has_position || !recent(rule, sighting)) continue;
      const double away = distance_km(coarse(in_.position), sighting.position);
      nearest = found ? std::min(nearest, away) : away;
      found = true;
    }
    return found;
  }

  // Since the newest accepted call that had a place.
  bool speed(const Rule& rule, double& km_per_hour) const {
    for (const Sighting& sighting : sightings()) {
      if (!sighting.accepted || !sighting.has_position || !recent(rule, sighting)) continue;
      const double away = distance_km(coarse(in_.position), sighting.position);
      if (away < kLeastTravelKm) return false;
      // A clock that went back, or two calls at one moment: as fast as a second allows.
      const auto elapsed = static_cast<double>(std::max<int64_t>(in_.now - sighting.at, 1000000));
      km_per_hour = away / (elapsed / kMicrosecondsPerHour);
      return true;
    }
    return false;
  }

  std::span<const Sighting> sightings() const { return {past_->sightings, past_->count}; }

  const RuleSet& rules_;
  const Inputs& in_;
  const Past* past_;
  Verdict& out_;
  int worst_unknown_ = -1;
  bool unknown_allow_ = false;
};

template <typename Enum, size_t kCount>
bool find_in(const std::string_view (&labels)[kCount], std::string_view label, Enum& out) {
  for (size_t i = 0; i < kCount; ++i)
    if (labels[i] == label) {
      out = static_cast<Enum>(i);
      return true;
    }
  return false;
}

// "; rule 12.3 require_factors:1 failures=4"
int print_part(const Fired& fired, std::span<char> out) {
  char name[32] = "scenario";
  if (fired.source != Source::kScenario)
    std::snprintf(name, sizeof name, "%s %u.%u", fired.source == Source::kRule ? "rule" : "entry", fired.id,
                  fired.version);
  char factors[8] = "";
  if (fired.action == Action::kRequireFactors) std::snprintf(factors, sizeof factors, ":%u", fired.factors);
  char measure[32] = "";
  if (fired.missing)
    std::snprintf(measure, sizeof measure, "=missing");
  else if (needs_past(fired.signal))
    std::snprintf(measure, sizeof measure, "=%.0f", std::min(fired.measure, 1e9));
  return std::snprintf(out.data(), out.size(), "; %s %s%s %s%s", name, label(fired.action), factors,
                       label(fired.signal), measure);
}

}  // namespace

const char* label(Signal signal) {
  return kSignals[static_cast<size_t>(signal)].data();
}
const char* label(Action action) {
  return kActions[static_cast<size_t>(action)].data();
}
bool find_signal(std::string_view label, Signal& out) {
  return find_in(kSignals, label, out);
}
bool find_action(std::string_view label, Action& out) {
  return find_in(kActions, label, out);
}
bool needs_past(Signal signal) {
  return signal >= Signal::kNewDevice;
}

void evaluate(const RuleSet& rules, const Inputs& inputs, const Past* past, Verdict& out) {
  out = {};
  Evaluation(rules, inputs, past, out).run();
}

int level(const Verdict& verdict) {
  return static_cast<int>(verdict.action);
}

size_t describe(const Verdict& verdict, std::span<char> out) {
  if (verdict.fired_count == 0) return 0;
  constexpr size_t kMoreSize = sizeof("; and 4294967295 more");
  const size_t kept = std::min<size_t>(verdict.fired_count, kMaxFired);
  Fired fired[kMaxFired];
  std::copy_n(verdict.fired, kept, fired);
  // What decided is not what is cut off.
  std::stable_sort(fired, fired + kept, [](const Fired& a, const Fired& b) { return a.action > b.action; });
  if (out.size() < kMoreSize + sizeof("risk 0")) return 0;
  auto size = static_cast<size_t>(std::snprintf(out.data(), out.size(), "risk %d", level(verdict)));
  size_t told = 0;
  for (; told < kept; ++told) {
    char part[128];
    const auto length = static_cast<size_t>(print_part(fired[told], part));
    const bool last = told + 1 == verdict.fired_count;
    if (size + length + (last ? 0 : kMoreSize) > out.size()) break;
    std::copy_n(part, length, out.data() + size);
    size += length;
  }
  if (told < verdict.fired_count) {
    char more[kMoreSize];
    const auto length =
        static_cast<size_t>(std::snprintf(more, sizeof more, "; and %zu more", verdict.fired_count - told));
    std::copy_n(more, length, out.data() + size);
    size += length;
  }
  return size;
}

}  // namespace visage::risk
