// What a thief of each level gets out of the system (ISO/IEC 24745, measured as ISO/IEC 30136 asks).
//
//   protection <data folder> [models folder] [plot.svg] [seed]
//
// The product makes, renews, opens and compares the references; the attacks are this benchmark's. JSON lines
// on stdout, everything else on stderr; bench/README.md says what each metric means.
#include <cstdio>
#include <cstdlib>

#include "protection_figures.h"
#include "protection_plot.h"
#include "protection_random.h"

namespace visage::bench::protection {
namespace {

int run(const std::string& data, const std::string& models, const std::string& plot, uint64_t seed) {
  Random random(seed);
  Faces faces;
  const Loading loading = load_faces(data, models, random, faces);
  if (loading == Loading::kNoData) {
    std::fprintf(stderr, "skipped: no data (lfw-half.tar or lfw-half-sface.f32 in %s)\n",
                 data.empty() ? "DATA=<folder>" : data.c_str());
    return 0;
  }
  if (loading == Loading::kFailed || !seed_libcrypto(seed)) return 1;
  const std::string sizes = text("%s; %zu faces; %zu people known to the attacker, %zu attacked; seed %llu",
                                 faces.source.c_str(), faces.all.size(), faces.known.size(),
                                 faces.attacked.size(), static_cast<unsigned long long>(seed));
  std::fprintf(stderr, "%s\n", sizes.c_str());

  const Population population = measure_population(faces, faces.known);
  Bank bank;
  Thresholds thresholds;
  if (!measure_thresholds(bank, faces, thresholds)) return 1;
  std::fprintf(stderr, "thresholds at FMR 1e-5, %zu pairs: plain %.4f, m = 512 %.4f, 1024 %.4f, 2048 %.4f\n",
               thresholds.pairs, thresholds.plain, thresholds.hidden[0], thresholds.hidden[1],
               thresholds.hidden[2]);
  Setting setting{bank, faces, population, thresholds, random};
  Figures figures;
  report_unlinkability(setting, figures);
  report_renewability(setting);
  report_irreversibility(setting, figures);
  report_oracle(setting);
  if (!write_plot(plot, figures, sizes)) {
    std::fprintf(stderr, "cannot write %s\n", plot.c_str());
    return 1;
  }
  std::fprintf(stderr, "plot: %s\n", plot.c_str());
  return 0;
}

}  // namespace
}  // namespace visage::bench::protection

int main(int count, char** arguments) {
  const auto argument = [&](int i, const char* otherwise) { return count > i ? arguments[i] : otherwise; };
  return visage::bench::protection::run(argument(1, ""), argument(2, "models"),
                                        argument(3, "build/bench/protection.svg"),
                                        std::strtoull(argument(4, "1"), nullptr, 10));
}
