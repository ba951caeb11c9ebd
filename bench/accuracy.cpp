// Detection and recognition accuracy of the product: real pipeline, real comparison, on labelled pictures.
//
//   accuracy <data folder> [models folder]
//
// JSON lines on stdout, everything else on stderr; bench/README.md says what each metric means.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "accuracy_compare.h"

namespace visage::bench {
namespace {

constexpr int kRounds = 1000;
const std::vector<double> kFars = {1e-6, 2e-6, 1e-5, 1e-4, 1e-3};
const char* const kFarNames[] = {"1e-6", "2e-6", "1e-5", "1e-4", "1e-3"};

void print_rates(const char* kind, Scores& scores) {
  const std::vector<Rate> all = rates(scores, kFars, kRounds);
  for (size_t i = 0; i < all.size(); ++i) {
    const Rate& rate = all[i];
    if (!rate.supported) {
      std::fprintf(stderr, "%s: FAR %s is not supported by %llu impostor pairs (rule of 30)\n", kind,
                   kFarNames[i], static_cast<unsigned long long>(rate.impostor_pairs / scores.orders));
      continue;
    }
    const bool targeted = std::strcmp(kind, "protected") == 0 && rate.far == 1e-5;
    std::printf(
        "{\"metric\": \"accuracy.frr_%s_at_far_%s\", \"value\": %.6f, \"unit\": \"ratio\", \"target\": %s, "
        "\"n\": %llu, "
        "\"note\": \"threshold %.4f; %llu of %llu genuine pairs rejected, %llu of %llu impostor pairs "
        "accepted; "
        "95 %% bootstrap over %zu people, %d rounds: %.4f to %.4f\"}\n",
        kind, kFarNames[i], rate.frr, targeted ? "\"<= 0.01\"" : "null",
        static_cast<unsigned long long>(rate.genuine_pairs), rate.threshold,
        static_cast<unsigned long long>(rate.false_rejects),
        static_cast<unsigned long long>(rate.genuine_pairs),
        static_cast<unsigned long long>(rate.false_accepts),
        static_cast<unsigned long long>(rate.impostor_pairs), scores.pictures.size(), kRounds, rate.low,
        rate.high);
    std::printf(
        "{\"metric\": \"accuracy.threshold_%s_at_far_%s\", \"value\": %.4f, \"unit\": \"cosine\", "
        "\"target\": null, "
        "\"n\": %llu, \"note\": \"for visage.calibration\"}\n",
        kind, kFarNames[i], rate.threshold, static_cast<unsigned long long>(rate.impostor_pairs));
  }
  std::fflush(stdout);
}

void print_detection(const Dataset& dataset, const Features& features) {
  const size_t all = dataset.pictures().size();
  std::printf(
      "{\"metric\": \"accuracy.detection_rate\", \"value\": %.6f, \"unit\": \"ratio\", \"target\": \">= "
      "0.995\", "
      "\"n\": %zu, \"note\": \"pictures in which a face was found, confirmed by the mesh and turned into a "
      "feature; "
      "%zu people\"}\n",
      static_cast<double>(features.found) / static_cast<double>(all), all, dataset.people());
  for (size_t i = 0; i < all; ++i)
    if (features.contents[i].dimension == 0)
      std::fprintf(stderr, "no feature: %s\n", dataset.pictures()[i].name.c_str());
}

// What each stage takes, of the pictures that this run processed; with all cores busy.
void print_timings(std::vector<capture::Timings> timings) {
  if (timings.size() < 100) return;
  const auto line = [&](const char* name, auto value) {
    std::vector<double> sorted;
    for (const capture::Timings& one : timings) sorted.push_back(value(one));
    std::sort(sorted.begin(), sorted.end());
    std::fprintf(stderr, "  %-9s median %6.2f ms, p99 %6.2f ms\n", name, sorted[sorted.size() / 2],
                 sorted[sorted.size() * 99 / 100]);
  };
  std::fprintf(stderr, "stages, %zu pictures:\n", timings.size());
  line("decode", [](const capture::Timings& t) { return t.decode; });
  line("detect", [](const capture::Timings& t) { return t.detect; });
  line("mesh", [](const capture::Timings& t) { return t.mesh; });
  line("align", [](const capture::Timings& t) { return t.align; });
  line("feature", [](const capture::Timings& t) { return t.feature; });
  line("liveness", [](const capture::Timings& t) { return t.liveness; });
  line("total", [](const capture::Timings& t) { return t.total(); });
}

int run(const std::string& data, const std::string& models) {
  Dataset dataset;
  if (!dataset.open(data + "/lfw-half.tar")) {
    std::fprintf(stderr, "skipped: no data (lfw-half.tar in %s)\n",
                 data.empty() ? "DATA=<folder>" : data.c_str());
    return 0;
  }
  capture::Settings settings;
  settings.models = models;
  settings.progress = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  const capture::Pipeline::Loaded loaded = capture::Pipeline::load(settings);
  for (const std::string& missing : loaded.missing) std::fprintf(stderr, "%s\n", missing.c_str());
  if (!loaded.pipeline) return 1;
  std::fprintf(stderr, "%zu pictures of %zu people, model %s\n", dataset.pictures().size(), dataset.people(),
               loaded.pipeline->model_id().c_str());
  Features features;
  if (!extract_features(dataset, *loaded.pipeline, features)) return 1;
  print_timings(features.timings);
  print_detection(dataset, features);
  Scores plain, hidden;
  if (!score_plain(dataset, features, plain)) return 1;
  print_rates("plain", plain);
  if (!score_protected(dataset, features, hidden)) return 1;
  print_rates("protected", hidden);
  return 0;
}

}  // namespace
}  // namespace visage::bench

int main(int count, char** arguments) {
  return visage::bench::run(count > 1 ? arguments[1] : "", count > 2 ? arguments[2] : "models");
}
