#include "accuracy_compare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <mutex>
#include <numbers>
#include <thread>

#include "accuracy_progress.h"
#include "core/match/match.h"

namespace visage::bench {
namespace {

// Impostor scores that one thread keeps: the highest. Far more than FAR 1e-3 of any dataset that fits in
// memory.
constexpr size_t kKeep = 1'000'000;

// A thread's share of the scores.
class Collector {
 public:
  void add(float score, size_t person, size_t other) {
    if (person == other) {
      genuine_.push_back({score, static_cast<uint32_t>(person)});
    } else if (score > floor_) {
      impostors_.push_back({score, static_cast<uint32_t>(person), static_cast<uint32_t>(other)});
      if (impostors_.size() == 2 * kKeep) trim();
    }
  }
  void merge_into(Scores& out) {
    out.genuine.insert(out.genuine.end(), genuine_.begin(), genuine_.end());
    out.impostors.insert(out.impostors.end(), impostors_.begin(), impostors_.end());
  }

 private:
  void trim() {
    const auto middle = impostors_.begin() + kKeep;
    std::nth_element(impostors_.begin(), middle, impostors_.end(),
                     [](const Impostor& a, const Impostor& b) { return a.score > b.score; });
    floor_ = middle->score;
    impostors_.resize(kKeep);
  }

  float floor_ = -2;
  std::vector<Genuine> genuine_;
  std::vector<Impostor> impostors_;
};

// How many pictures and unscorable genuine pairs each person has.
void count_pairs(const Dataset& dataset, const Features& features, uint64_t orders, Scores& out) {
  out.orders = orders;
  out.pictures.assign(dataset.people(), 0);
  std::vector<uint64_t> usable(dataset.people(), 0);
  for (size_t i = 0; i < dataset.pictures().size(); ++i) {
    const size_t person = dataset.pictures()[i].person;
    ++out.pictures[person];
    usable[person] += features.contents[i].dimension != 0;
  }
  out.not_scored.resize(dataset.people());
  for (size_t p = 0; p < dataset.people(); ++p)
    out.not_scored[p] =
        orders * (out.pictures[p] * (out.pictures[p] - 1) - usable[p] * (usable[p] - (usable[p] > 0))) / 2;
}

// Calls row(i, collector) for every picture, on every core. False when one of them fails.
using Row = std::function<bool(size_t, Collector&)>;
bool for_every_row(const char* what, size_t count, const std::function<Row()>& make_row, Scores& out) {
  std::atomic<size_t> next{0};
  std::atomic<bool> fine{true};
  std::mutex mutex;
  Progress progress(what, count);
  const auto work = [&] {
    Collector collector;
    const Row row = make_row();
    for (size_t i; fine && (i = next++) < count; progress.step())
      if (!row(i, collector)) fine = false;
    const std::lock_guard lock(mutex);
    collector.merge_into(out);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  return fine;
}

keys::Owner owner_of(size_t person) {
  keys::Owner owner{1, {}};
  std::memcpy(owner.subject.bytes, &person, sizeof person);
  return owner;
}

struct Keys {
  keys::KeyRing ring{};
  std::vector<keys::SubjectKey> subjects;  // one a person

  bool make(crypto::Engine& engine, size_t people) {
    for (keys::RootSet* roots : {&ring.envelope, &ring.transform}) {
      uint8_t key[keys::kMinRootSize];
      if (!engine.random(key).ok() || !keys::add_root(engine, *roots, 1, key).ok()) return false;
    }
    subjects.resize(people);
    return std::all_of(subjects.begin(), subjects.end(),
                       [&](keys::SubjectKey& key) { return engine.random(key.span()).ok(); });
  }
};

// One picture as a reference, against all others.
bool score_reference(crypto::Engine& engine, const Keys& keys, const Dataset& dataset,
                     const Features& features, size_t index, Collector& collector) {
  const size_t person = dataset.pictures()[index].person;
  reference::Header header{};
  header.suite = crypto::Suite::kAes256Gcm;
  header.scheme = reference::kSchemeRfr1;
  header.code_bits = reference::kDefaultCodeBits;
  header.owner = owner_of(person);
  header.generation = 1;
  std::vector<uint8_t> envelope(reference::sealed_size(header.suite, header.code_bits));
  const keys::SubjectKey& key = keys.subjects[person];
  if (!reference::protect(engine, keys.ring, key, features.contents[index], header, envelope).ok())
    return false;
  const reference::Stored stored{header.reference, header.generation, envelope};
  reference::Opened opened;
  reference::Header read;
  if (!reference::open(engine, keys.ring, header.owner, key, stored, read, opened).ok()) return false;
  const double to_cosine = std::sqrt(std::numbers::pi / 2);
  std::vector<float> rotated(read.code_bits);
  bool checked = false;
  for (size_t p = 0; p < features.contents.size(); ++p) {
    const probe::Contents& probe = features.contents[p];
    if (p == index || probe.dimension == 0) continue;
    reference::rotate(probe.feature, probe.dimension, read.code_bits, opened.masks, rotated.data());
    const double score = reference::asymmetric_score(opened.code, rotated.data(), read.code_bits) * to_cosine;
    if (!checked) {
      match::Comparison comparison;
      if (!match::compare(engine, keys.ring, header.owner, key, stored, probe, comparison).ok() ||
          !comparison.comparable || comparison.score != score) {
        std::fprintf(stderr, "\nmatch::compare() and the benchmark disagree\n");
        return false;
      }
      checked = true;
    }
    collector.add(static_cast<float>(score), person, dataset.pictures()[p].person);
  }
  return true;
}

}  // namespace

bool score_plain(const Dataset& dataset, const Features& features, Scores& out) {
  count_pairs(dataset, features, 1, out);
  const auto row = [&](size_t i, Collector& collector) {
    if (features.contents[i].dimension == 0) return true;
    for (size_t j = 0; j < i; ++j) {
      if (features.contents[j].dimension == 0) continue;
      const match::Comparison comparison = match::compare_probes(features.contents[i], features.contents[j]);
      if (!comparison.comparable) return false;
      collector.add(static_cast<float>(comparison.score), dataset.pictures()[i].person,
                    dataset.pictures()[j].person);
    }
    return true;
  };
  return for_every_row(
      "plain comparisons", dataset.pictures().size(), [&] { return Row(row); }, out);
}

bool score_protected(const Dataset& dataset, const Features& features, Scores& out) {
  count_pairs(dataset, features, 2, out);
  Keys keys;
  const std::unique_ptr<crypto::Engine> first(crypto::Engine::create());
  if (!first || !keys.make(*first, dataset.people())) return false;
  const auto make_row = [&]() -> Row {
    const std::shared_ptr<crypto::Engine> engine(crypto::Engine::create());
    return [&, engine](size_t i, Collector& collector) {
      if (features.contents[i].dimension == 0) return true;
      return engine != nullptr && score_reference(*engine, keys, dataset, features, i, collector);
    };
  };
  return for_every_row("protected references", dataset.pictures().size(), make_row, out);
}

}  // namespace visage::bench
