// The approximate indexes of a gallery against its exact scan: who is found, how fast, at what price.
//
// gallery_index DATA N [hnsw[,links,beam_of_build]|ivf[,lists] [efforts…]]: an effort is the beam of HNSW's
// search, or the thousandths of the lists that IVF reads; without any, the default setting alone is measured.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/json_line.h"
#include "bench/measure.h"
#include "core/gallery/bound.h"
#include "gallery_index/library.h"
#include "gallery_index_people.h"

namespace visage::bench {
namespace {

using gallery::Hit;
using gallery::kCodeBits;
using gallery::kCodeWords;
using gallery_index::Index;
using gallery_index::Kind;

constexpr size_t kProbes = 1000;  // of each sort
constexpr size_t kNearest = 10;
constexpr size_t kSampled = 40;  // codes a list that IVF learns from
constexpr size_t kBatch = 10000;

double process_s() {
  return clock_ms(CLOCK_PROCESS_CPUTIME_ID) / 1e3;
}
double quantile(std::vector<double> values, double share) {
  const auto place = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<long>(place), values.end());
  return values[place];
}

std::string made_with(Kind kind, const gallery_index::Settings& settings) {
  return kind == Kind::kHnsw ? std::to_string(settings.links) + " links, beam of build " +
                                   std::to_string(settings.beam_of_build)
                             : std::to_string(settings.lists) + " lists";
}

struct Question {
  const uint64_t* probe;
  uint32_t place;  // of who it is; kNoPlace for a stranger
  std::vector<Hit> exact;
};

class Bench {
 public:
  Bench(const Crowd& crowd, size_t count)
      : crowd_(crowd), count_(count), bound_(gallery::distance_bound(0.6, kCodeBits, 1e-6)) {
    std::vector<double> exact_ms;
    for (size_t i = 0; i < kProbes; ++i) {
      questions_.push_back({&crowd.mated[i * kCodeWords], static_cast<uint32_t>(i * crowd.step), {}});
      questions_.push_back({&crowd.strangers[i * kCodeWords], gallery_index::kNoPlace, {}});
    }
    double within = 0;
    std::vector<Hit> hits(4096);
    for (Question& question : questions_) {
      const double began = thread_ms();
      gallery::Nearest nearest(hits.data(), hits.size(), bound_);
      gallery::search(gallery::best_kernels(), crowd.enrolled.data(), nullptr, 0, count, question.probe,
                      nearest);
      const size_t found = nearest.sort();
      exact_ms.push_back(thread_ms() - began);
      within += static_cast<double>(found);
      question.exact.assign(hits.begin(), hits.begin() + static_cast<long>(std::min(found, kNearest)));
    }
    exact_ms_ = quantile(exact_ms, 0.5);
    char note[200];
    std::snprintf(
        note, sizeof note,
        "all within the bound of threshold 0.6, %u bits, on one core; mean of %.0f codes (at most 4096 kept)",
        bound_, within / static_cast<double>(questions_.size()));
    print("exact_all_ms", exact_ms_, "ms", note);
    std::snprintf(
        note, sizeof note,
        "made people; real ones have %.3f. Standard deviation of strangers' cosines %.3f, real %.3f",
        crowd.real_mated_cosine, crowd.stranger_spread, crowd.real_stranger_spread);
    print("mated_cosine", crowd.mated_cosine, "cosine", note);
  }

  void run(Kind kind, gallery_index::Settings settings, const std::vector<uint32_t>& efforts) {
    const auto& library = gallery_index::library();
    const char* const name = kind == Kind::kHnsw ? "hnsw" : "ivf";
    const char* const threads = std::getenv("OMP_NUM_THREADS");
    settings.threads =
        threads != nullptr ? std::atoi(threads) : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    settings.lists = kind == Kind::kIvf ? gallery_index::lists_for(settings, count_) : 0;
    gallery_index::Follower* follower = nullptr;
    const double cpu = process_s();
    const auto began = std::chrono::steady_clock::now();
    const size_t sample = std::min(count_, kSampled * std::max(settings.lists, 1u));
    check(
        library.create(kind, settings, std::span(crowd_.enrolled).first(sample * kCodeWords), {}, follower));
    Index* const index = &follower->index();
    for (size_t first = 0; first < count_; first += kBatch) {
      const size_t batch = std::min(kBatch, count_ - first);
      std::vector<uint32_t> places(batch);
      for (size_t i = 0; i < batch; ++i) places[i] = static_cast<uint32_t>(first + i);
      check(index->add(std::span(crowd_.enrolled).subspan(first * kCodeWords, batch * kCodeWords), places));
      if (first % 100000 == 0) std::fprintf(stderr, "%s: %zu of %zu\n", name, first, count_);
    }
    const std::string prefix = name;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    char note[200];
    std::snprintf(note, sizeof note, "%d threads, %.1f s of processor time; %s", settings.threads,
                  process_s() - cpu, made_with(kind, settings).c_str());
    print((prefix + "_build_s").c_str(), seconds, "s", note);
    print((prefix + "_bytes").c_str(), static_cast<double>(index->memory()) / static_cast<double>(count_),
          "bytes/code", "of the index; the code itself is 128");
    print((prefix + "_expected_bytes").c_str(),
          static_cast<double>(library.expected_memory(kind, settings, count_)) / static_cast<double>(count_),
          "bytes/code", "what the limit of memory is compared with");
    for (const uint32_t effort : efforts.empty() ? std::vector<uint32_t>{0} : efforts) {
      gallery_index::Settings tried = settings;
      if (effort != 0) (kind == Kind::kHnsw ? tried.beam_of_search : tried.probed_permille) = effort;
      check(index->change(tried));
      ask(*index, prefix + (effort == 0 ? "" : "_" + std::to_string(effort)));
    }
    library.destroy(follower);
    malloc_trim(0);
  }

 private:
  void ask(Index& index, const std::string& name) {
    std::vector<double> times;
    size_t mates = 0, mates_found = 0, near = 0, near_found = 0, short_answers = 0;
    std::vector<Hit> hits(4096);
    for (const Question& question : questions_) {
      bool overlooks = false;
      const double began = thread_ms();
      gallery::Nearest nearest(hits.data(), hits.size(), bound_);
      check(index.search({question.probe, kCodeWords}, {}, nearest, overlooks));
      const size_t found = nearest.sort();
      times.push_back(thread_ms() - began);
      short_answers += overlooks ? 1 : 0;
      const auto offered = [&](uint32_t place) {
        return std::any_of(hits.begin(), hits.begin() + static_cast<long>(found),
                           [&](const Hit& hit) { return hit.place == place; });
      };
      if (question.place != gallery_index::kNoPlace && distance(question) <= bound_) {
        ++mates;
        mates_found += offered(question.place) ? 1 : 0;
      }
      for (const Hit& hit : question.exact) {
        ++near;
        near_found += offered(hit.place) ? 1 : 0;
      }
    }
    const double ms = quantile(times, 0.5);
    const auto share = [](size_t part, size_t whole) {
      return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
    };
    char note[200];
    std::snprintf(note, sizeof note,
                  "99th percentile %.2f ms; exact scan of the same %.2f ms: %.2f times as long",
                  quantile(times, 0.99), exact_ms_, ms / exact_ms_);
    print((name + "_ms").c_str(), ms, "ms", note);
    std::snprintf(note, sizeof note, "%zu of %zu enrolled people within the bound are offered, of %zu codes",
                  mates_found, mates, count_);
    print_metric(("gallery." + name + "_recall").c_str(), share(mates_found, mates), "share", ">= 0.999",
                 static_cast<long long>(mates), note);
    std::snprintf(note, sizeof note, "of the %zu nearest within the bound, by the exact scan", kNearest);
    print((name + "_recall_10").c_str(), share(near_found, near), "share", note, "", near);
    print((name + "_overlooks").c_str(), share(short_answers, questions_.size()), "share",
          "questions with more within the bound than the index lists", "", questions_.size());
  }

  uint32_t distance(const Question& question) const {
    Hit hit;
    gallery::best_kernels().within(&crowd_.enrolled[question.place * kCodeWords], 1, question.probe,
                                   kCodeBits, &hit);
    return hit.distance;
  }

  void print(const char* what, double value, const char* unit, const char* note, const char* target = "",
             size_t n = 0) const {
    const std::string size =
        count_ % 1000000 == 0 ? std::to_string(count_ / 1000000) + "m" : std::to_string(count_ / 1000) + "k";
    print_metric(("gallery." + std::string(what) + "_" + size).c_str(), value, unit, target,
                 static_cast<long long>(n == 0 ? count_ : n), note);
  }

  const Crowd& crowd_;
  const size_t count_;
  const uint32_t bound_;
  double exact_ms_;
  std::vector<Question> questions_;
};

}  // namespace
}  // namespace visage::bench

int main(int argc, char** argv) {
  using namespace visage::bench;
  if (argc < 3) fail("gallery_index DATA N [hnsw|ivf [effort…]]");
  const size_t count = std::strtoul(argv[2], nullptr, 10) / kProbes * kProbes;
  if (count == 0) fail("N is at least 1000");
  Crowd crowd;
  if (!make_crowd(argv[1], count, kProbes, crowd)) {
    std::fprintf(stderr, "skipped: no data\n");
    return 0;
  }
  Bench bench(crowd, count);
  std::string kind = argc > 3 ? argv[3] : "";
  visage::gallery_index::Settings settings;
  std::sscanf(kind.c_str(), "hnsw,%u,%u", &settings.links, &settings.beam_of_build);
  std::sscanf(kind.c_str(), "ivf,%u", &settings.lists);
  kind.resize(std::min(kind.size(), kind.find(',')));
  std::vector<uint32_t> efforts;
  for (int i = 4; i < argc; ++i) efforts.push_back(static_cast<uint32_t>(std::strtoul(argv[i], nullptr, 10)));
  if (kind != "ivf") bench.run(Kind::kHnsw, settings, efforts);
  if (kind != "hnsw") bench.run(Kind::kIvf, settings, efforts);
}
