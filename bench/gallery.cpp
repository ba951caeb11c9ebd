// What an exact search of a gallery costs: against one pass of popcount over the same bytes, which no search
// that reads each code can beat, and against FAISS's exact search, IndexBinaryFlat, for the same answer.
//
// The k nearest of all, without a bound, so that all of them do the same work; the search as the product uses
// it, within a bound, stands beside it. All on one core, in alternating rounds; medians, and medians of the
// rounds' ratios. And what filling costs: one code opened under its subject's key, one made of a probe.
#include <faiss/IndexBinaryFlat.h>
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/json_line.h"
#include "bench/measure.h"
#include "core/gallery/bound.h"
#include "core/gallery/code.h"
#include "gallery_pass.h"

namespace visage::bench {
namespace {

using gallery::Hit;
using gallery::kCodeBits;
using gallery::kCodeWords;

constexpr size_t kNearest = 10;
constexpr size_t kBetweenInterrupts = 4096;  // codes
constexpr int kRounds = 25;

template <typename Call>
double milliseconds(Call&& call) {
  const double began = thread_ms();
  call();
  return thread_ms() - began;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

struct Times {
  std::vector<double> pass, exact, bounded, faiss;
};
double ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return median(std::move(ratios));
}

std::vector<Hit> search(const std::vector<uint64_t>& codes, const uint64_t* probe, uint32_t most) {
  std::vector<Hit> room(kNearest);
  gallery::Nearest nearest(room.data(), kNearest, most);
  const size_t count = codes.size() / kCodeWords;
  for (size_t first = 0; first < count; first += kBetweenInterrupts)
    gallery::search(gallery::best_kernels(), codes.data(), nullptr, first,
                    std::min(kBetweenInterrupts, count - first), probe, nearest);
  room.resize(nearest.sort());
  return room;
}

// Strangers are random codes; one person is there, at 60° to the probe.
std::vector<uint64_t> make_gallery(std::mt19937_64& random, size_t count,
                                   const std::vector<uint64_t>& probe) {
  std::vector<uint64_t> codes(count * kCodeWords);
  for (uint64_t& word : codes) word = random();
  uint64_t* person = &codes[count / 3 * kCodeWords];
  std::copy(probe.begin(), probe.end(), person);
  for (size_t bit = 0; bit < kCodeBits; bit += 3) person[bit / 64] ^= uint64_t{1} << bit % 64;
  return codes;
}

void bench_search(size_t count) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> probe(kCodeWords);
  for (uint64_t& word : probe) word = random();
  const std::vector<uint64_t> codes = make_gallery(random, count, probe);
  const uint32_t bound = gallery::distance_bound(0.5, kCodeBits, 1e-6);

  faiss::IndexBinaryFlat flat(kCodeBits);
  flat.add(static_cast<faiss::IndexBinary::idx_t>(count), reinterpret_cast<const uint8_t*>(codes.data()));
  std::vector<int32_t> distances(kNearest);
  std::vector<faiss::IndexBinary::idx_t> places(kNearest);

  Times times;
  uint64_t bits = 0;
  std::vector<Hit> all, near;
  for (int round = 0; round <= kRounds; ++round) {
    const double pass = milliseconds([&] { bits += popcount_pass(codes.data(), codes.size()); });
    const double exact = milliseconds([&] { all = search(codes, probe.data(), kCodeBits); });
    const double bounded = milliseconds([&] { near = search(codes, probe.data(), bound); });
    const double other = milliseconds([&] {
      flat.search(1, reinterpret_cast<const uint8_t*>(probe.data()), kNearest, distances.data(),
                  places.data());
    });
    if (round == 0) continue;  // warms up
    times.pass.push_back(pass);
    times.exact.push_back(exact);
    times.bounded.push_back(bounded);
    times.faiss.push_back(other);
  }
  if (bits % (kRounds + 1) != 0) fail("a pass counted other bits than the one before");
  for (size_t i = 0; i < kNearest; ++i)
    if (static_cast<int32_t>(all[i].distance) != distances[i]) fail("FAISS finds other distances");
  if (near.empty() || near[0].place != count / 3) fail("who is there was not found");

  const std::string size =
      count % 1000000 == 0 ? std::to_string(count / 1000000) + "m" : std::to_string(count / 1000) + "k";
  const auto print = [&](const char* what, double value, const char* unit, const char* target,
                         const char* note) {
    print_metric(("gallery." + std::string(what) + "_" + size).c_str(), value, unit, target,
                 static_cast<long long>(count), note);
  };
  const bool shown = count == 1000000;  // the targets are for a million
  print("popcount_pass_ms", median(times.pass), "ms", "", pass_name());
  print("exact_ms", median(times.exact), "ms", "", "the 10 nearest of 1,024 bits, one core, best SIMD level");
  print("exact_bounded_ms", median(times.bounded), "ms", "",
        "the same within the bound of threshold 0.5, miss 1e-6");
  print("exact_vs_popcount_pass", ratio(times.exact, times.pass), "ratio", shown ? "<= 1.3" : "",
        "median of alternating rounds, same bytes");
  print("faiss_flat_ms", median(times.faiss), "ms", "",
        "IndexBinaryFlat, k = 10, one thread; same distances found");
  print("faiss_flat_vs_exact", ratio(times.faiss, times.exact), "ratio", shown ? ">= 4" : "",
        "how many times as long FAISS takes");
}

// A row of a gallery as it is filled at the server's start: the subject's key unwrapped, the code opened.
void bench_filling() {
  constexpr int kCalls = 20000;
  const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  if (engine == nullptr) fail("libcrypto lacks a suite");
  keys::KeyRing ring = {};
  uint8_t root[keys::kMinRootSize];
  for (keys::RootSet* roots : {&ring.envelope, &ring.transform}) {
    check(engine->random(root));
    check(keys::add_root(*engine, *roots, 1, root));
  }
  const auto suite = crypto::Suite::kAes256Gcm;
  const gallery::CodeOwner of = {{1, {{1}}}, {{2}}, 1};
  std::vector<uint8_t> wrapped(keys::wrapped_size(suite)), sealed(gallery::sealed_code_size(suite));
  keys::SubjectKey key;
  check(keys::new_subject_key(*engine, ring, suite, of.owner, wrapped));
  check(keys::unwrap_subject_key(*engine, ring, of.owner, wrapped, key));
  const auto contents = std::make_unique<probe::Contents>();
  std::vector<float> feature(128);
  std::mt19937_64 random(2);
  for (float& value : feature) value = std::normal_distribution<float>()(random);
  check(probe::set_feature(feature, *contents));
  check(probe::set_model("bench/1", *contents));
  gallery::Epoch epoch = {};
  epoch.suite = suite;
  epoch.institution = epoch.number = 1;
  epoch.dimension = contents->dimension;
  std::memcpy(epoch.model_digest, contents->model_digest, sizeof epoch.model_digest);
  check(gallery::begin_epoch(*engine, ring, epoch));
  gallery::EpochMasks masks;
  check(gallery::derive_masks(*engine, ring, epoch, masks));
  gallery::SignCode code;
  std::vector<double> made, opened;
  for (int round = 0; round < 7; ++round) {
    made.push_back(milliseconds([&] {
                     for (int i = 0; i < kCalls; ++i)
                       check(gallery::make_code(epoch, masks, *contents, code));
                   }) *
                   1000 / kCalls);
    check(gallery::seal_code(*engine, ring, key, suite, epoch, masks, of, code, sealed));
    opened.push_back(milliseconds([&] {
                       for (int i = 0; i < kCalls; ++i) {
                         check(keys::unwrap_subject_key(*engine, ring, of.owner, wrapped, key));
                         check(gallery::open_code(*engine, ring, key, epoch, masks, of, sealed, code));
                       }
                     }) *
                     1000 / kCalls);
  }
  print_metric("gallery.make_code_us", median(made), "us", "", kCalls,
               "from a feature of 128 values, masks at hand");
  print_metric("gallery.open_code_us", median(opened), "us", "", kCalls,
               "one row: subject key unwrapped, code opened; one core");
}

}  // namespace
}  // namespace visage::bench

int main(int argc, char** argv) {
  omp_set_num_threads(1);
  if (argc == 1) {
    visage::bench::bench_filling();
    for (size_t count : {100000, 1000000, 5000000}) visage::bench::bench_search(count);
  }
  for (int i = 1; i < argc; ++i) visage::bench::bench_search(std::strtoul(argv[i], nullptr, 10));
}
