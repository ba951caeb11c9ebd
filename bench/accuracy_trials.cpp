#include "accuracy_trials.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>

#include "accuracy_parallel.h"

namespace visage::bench {
namespace {

// Impostor scores that one thread keeps: the highest. Far more than FAR 1e-3 of any dataset that fits in
// memory.
constexpr size_t kKeep = 1'000'000;
// Claims that are scored together, so that a probe is read from memory once for all of them.
constexpr size_t kTile = 16;

// A thread's share of the scores; given away when it ends.
class Collector {
 public:
  Collector(Scores& out, std::mutex& mutex) : out_(out), mutex_(mutex), not_scored_(out.people(), 0) {}
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;
  ~Collector() {
    const std::lock_guard lock(mutex_);
    out_.genuine.insert(out_.genuine.end(), genuine_.begin(), genuine_.end());
    out_.impostors.insert(out_.impostors.end(), impostors_.begin(), impostors_.end());
    out_.genuine_counts.add(genuine_counts_);
    out_.impostor_counts.add(impostor_counts_);
    for (size_t i = 0; i < not_scored_.size(); ++i) out_.not_scored[i] += not_scored_[i];
  }

  void add(float score, uint32_t person, uint32_t other) {
    if (person == other) {
      genuine_.push_back({score, person});
      genuine_counts_.add(score);
      return;
    }
    impostor_counts_.add(score);
    if (score <= floor_) return;
    impostors_.push_back({score, person, other});
    if (impostors_.size() == 2 * kKeep) trim();
  }
  void add_not_scored(uint32_t person) { ++not_scored_[person]; }

 private:
  void trim() {
    const auto middle = impostors_.begin() + kKeep;
    std::nth_element(impostors_.begin(), middle, impostors_.end(),
                     [](const Impostor& a, const Impostor& b) { return a.score > b.score; });
    floor_ = middle->score;
    impostors_.resize(kKeep);
  }

  Scores& out_;
  std::mutex& mutex_;
  float floor_ = -2;
  std::vector<Genuine> genuine_;
  std::vector<Impostor> impostors_;
  Histogram genuine_counts_, impostor_counts_;
  std::vector<uint64_t> not_scored_;
};

bool share_a_picture(const Side& a, const Side& b) {
  return std::find_first_of(a.pictures.begin(), a.pictures.end(), b.pictures.begin(), b.pictures.end()) !=
         a.pictures.end();
}

std::vector<bool> usable(const std::vector<Side>& sides, const Vectors& features) {
  std::vector<bool> out(sides.size());
  for (size_t i = 0; i < sides.size(); ++i)
    out[i] = std::all_of(sides[i].pictures.begin(), sides[i].pictures.end(),
                         [&](uint32_t picture) { return features.known(picture); });
  return out;
}

void count_attempts(const Trials& trials, size_t people, Scores& out) {
  out.unordered = trials.unordered;
  out.repeats = trials.repeats;
  for (auto* counts : {&out.claims, &out.probes, &out.genuine_attempts, &out.not_scored})
    counts->assign(people, 0);
  std::vector<std::vector<const Side*>> of_person(people);
  for (const Side& probe : trials.probes) {
    ++out.probes[probe.person];
    of_person[probe.person].push_back(&probe);
  }
  for (const Side& claim : trials.claims) {
    ++out.claims[claim.person];
    for (const Side* probe : of_person[claim.person])
      out.genuine_attempts[claim.person] += !share_a_picture(claim, *probe);
  }
  if (trials.unordered)
    for (uint64_t& attempts : out.genuine_attempts) attempts /= 2;
}

}  // namespace

Trials every_pair(const Dataset& dataset, bool unordered) {
  Trials out;
  out.claims = groups_of(dataset, 1, 1);
  out.probes = out.claims;
  out.unordered = unordered;
  out.repeats = unordered ? 1 : 2;
  return out;
}

std::vector<Side> groups_of(const Dataset& dataset, size_t size, size_t least) {
  std::vector<std::vector<uint32_t>> pictures(dataset.people());
  for (size_t i = 0; i < dataset.pictures().size(); ++i)
    pictures[dataset.pictures()[i].person].push_back(static_cast<uint32_t>(i));
  std::vector<Side> out;
  for (size_t person = 0; person < pictures.size(); ++person) {
    const std::vector<uint32_t>& own = pictures[person];
    if (own.size() < least || own.size() < size) continue;
    for (size_t first = 0; first < own.size(); ++first) {
      Side side{static_cast<uint32_t>(person), {}};
      for (size_t k = 0; k < size; ++k) side.pictures.push_back(own[(first + k) % own.size()]);
      out.push_back(std::move(side));
    }
  }
  return out;
}

Vectors average_frames(const std::vector<Side>& probes, const Vectors& features) {
  Vectors out(probes.size(), features.width());
  for (size_t i = 0; i < probes.size(); ++i) {
    float* mean = out.row(i);
    for (const uint32_t picture : probes[i].pictures)
      for (size_t k = 0; k < out.width(); ++k) mean[k] += features.row(picture)[k];
    // One frame is left as it is.
    const float length = probes[i].pictures.size() == 1 ? 1 : std::sqrt(dot(mean, mean, out.width()));
    for (size_t k = 0; k < out.width() && length > 0; ++k) mean[k] /= length;
    out.set_known(i);
  }
  return out;
}

bool score_trials(const char* what, const Trials& trials, size_t people, const Vectors& features,
                  const Score& score, Scores& out) {
  count_attempts(trials, people, out);
  const std::vector<bool> claim_usable = usable(trials.claims, features);
  const std::vector<bool> probe_usable = usable(trials.probes, features);
  std::mutex mutex;
  const auto attempt = [&](size_t c, size_t p, Collector& collector) {
    const Side& claim = trials.claims[c];
    const Side& probe = trials.probes[p];
    if (claim.person == probe.person && share_a_picture(claim, probe)) return;
    if (claim_usable[c] && probe_usable[p])
      collector.add(score(c, p), claim.person, probe.person);
    else if (claim.person == probe.person)
      collector.add_not_scored(claim.person);
  };
  const auto make_worker = [&]() -> Work {
    return [&, collector = std::make_shared<Collector>(out, mutex)](size_t tile) {
      const size_t first = tile * kTile, last = std::min(first + kTile, trials.claims.size());
      const size_t probes = trials.unordered ? last : trials.probes.size();
      for (size_t p = 0; p < probes; ++p)
        for (size_t c = trials.unordered ? std::max(first, p + 1) : first; c < last; ++c)
          attempt(c, p, *collector);
      return true;
    };
  };
  if (!on_every_core(what, (trials.claims.size() + kTile - 1) / kTile, make_worker)) return false;
  std::sort(out.genuine.begin(), out.genuine.end(),
            [](const Genuine& a, const Genuine& b) { return a.score < b.score; });
  std::sort(out.impostors.begin(), out.impostors.end(),
            [](const Impostor& a, const Impostor& b) { return a.score > b.score; });
  return true;
}

}  // namespace visage::bench
