// Detection and recognition accuracy of the product: real pipeline, real comparison, on labelled pictures.
//
//   accuracy <data folder> [models folder] [folder for plots and calibration.sql]
//
// JSON lines on stdout, everything else on stderr; bench/README.md says what each metric means.
#include <cstdio>

#include "accuracy_calibration.h"
#include "accuracy_halves.h"
#include "accuracy_plots.h"
#include "accuracy_protocols.h"
#include "accuracy_stage.h"
#include "core/reference/reference.h"

namespace visage::bench {
namespace {

// The length that the product makes by default; figures without a length in their name are its.
constexpr size_t kBits = reference::kDefaultCodeBits;

struct All {
  Measured plain, m512, m1024, m2048;
};

bool measure_all(const Sample& sample, All& out) {
  std::optional<Measured> measured = measure_plain(sample);
  if (!measured) return false;
  out.plain = std::move(*measured);
  for (const size_t bits : {size_t{512}, size_t{1024}, size_t{2048}}) {
    Vectors templates;
    if (!make_templates(sample.dataset, sample.features, bits, templates)) return false;
    Printed printed{.kind = "protected"};
    if (bits == kBits)
      printed.target = "<= 0.01";
    else
      printed.kind += "_m" + std::to_string(bits);
    measured = measure_protected(sample, templates, printed);
    if (!measured) return false;
    if (bits == kBits) {
      print_halves(measured->scores);
      if (!measure_two_factor(sample, templates, bits) ||
          !measure_references(sample, templates, measured->rates) || !measure_frames(sample, templates))
        return false;
    }
    (bits == 512 ? out.m512 : bits == 1024 ? out.m1024 : out.m2048) = std::move(*measured);
  }
  return true;
}

bool write_files(const std::string& model, const Dataset& dataset, const All& all,
                 const std::string& folder) {
  return plot_det({{"two features, unprotected", &all.plain},
                   {"RFR-1, 512 bits", &all.m512},
                   {"RFR-1, 1024 bits", &all.m1024},
                   {"RFR-1, 2048 bits", &all.m2048}},
                  folder + "/accuracy-det.svg") &&
         plot_scores({{"Two features, unprotected", &all.plain},
                      {"Reference of 1024 bits and feature, stolen-token", &all.m1024}},
                     folder + "/accuracy-scores.svg") &&
         write_calibration(model, dataset,
                           {{"plain", &all.plain},
                            {"RFR-1/512", &all.m512},
                            {"RFR-1/1024", &all.m1024},
                            {"RFR-1/2048", &all.m2048}},
                           folder + "/calibration.sql");
}

int run(const std::string& data, const std::string& models, const std::string& folder) {
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
  All all;
  if (!measure_all({dataset, features, feature_vectors(features)}, all)) return 1;
  if (folder.empty()) return 0;
  return write_files(loaded.pipeline->model_id(), dataset, all, folder) ? 0 : 1;
}

}  // namespace
}  // namespace visage::bench

int main(int count, char** arguments) {
  return visage::bench::run(count > 1 ? arguments[1] : "", count > 2 ? arguments[2] : "models",
                            count > 3 ? arguments[3] : "");
}
