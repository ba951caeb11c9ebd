// Detection and recognition accuracy of the product: real pipeline, real comparison, on labelled pictures.
//
//   accuracy <data folder> [models folder] [folder for plots and calibration.sql]
//
// JSON lines on stdout, everything else on stderr; bench/README.md says what each metric means.
#include <cstdio>

#include "accuracy_halves.h"
#include "accuracy_protocols.h"
#include "accuracy_stage.h"
#include "core/reference/reference.h"

namespace visage::bench {
namespace {

// The length that the product makes by default; figures without a length in their name are its.
constexpr size_t kBits = reference::kDefaultCodeBits;

bool measure_all(const Sample& sample) {
  const std::optional<Measured> plain = measure_plain(sample);
  if (!plain) return false;
  for (const size_t bits : {size_t{512}, size_t{1024}, size_t{2048}}) {
    Vectors templates;
    if (!make_templates(sample.dataset, sample.features, bits, templates)) return false;
    Printed printed{.kind = "protected"};
    if (bits == kBits)
      printed.target = "<= 0.01";
    else
      printed.kind += "_m" + std::to_string(bits);
    const std::optional<Measured> hidden = measure_protected(sample, templates, printed);
    if (!hidden) return false;
    if (bits != kBits) continue;
    print_halves(hidden->scores);
    if (!measure_two_factor(sample, templates, bits) ||
        !measure_references(sample, templates, hidden->rates) || !measure_frames(sample, templates))
      return false;
  }
  return true;
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
  return measure_all({dataset, features, feature_vectors(features)}) ? 0 : 1;
}

}  // namespace
}  // namespace visage::bench

int main(int count, char** arguments) {
  return visage::bench::run(count > 1 ? arguments[1] : "", count > 2 ? arguments[2] : "models");
}
