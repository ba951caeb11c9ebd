#include "protection_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

namespace visage::bench::protection {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

constexpr double kTop = 80, kBottom = 380;  // of every panel's axes, px
// Okabe and Ito's colours, which colour-blind readers can tell apart.
constexpr const char* kBarColours[] = {"#56b4e9", "#0072b2", "#003a5d"};
constexpr const char* kMated = "#d55e00";
constexpr const char* kNonMated = "#0072b2";

struct Panel {
  double left, right;
  double y(double share) const { return kBottom - share * (kBottom - kTop); }
  double x(double share) const { return left + share * (right - left); }
};

void frame(std::FILE* f, const Panel& panel, const std::string& title, const char* x_title,
           const char* y_title) {
  std::fprintf(f, "<text x='%.0f' y='42' font-size='14' font-weight='bold'>%s</text>\n", panel.left,
               title.c_str());
  std::fprintf(f, "<path d='M%.0f %.0fV%.0fH%.0f' fill='none' stroke='#555'/>\n", panel.left, kTop, kBottom,
               panel.right);
  std::fprintf(f, "<text x='%.0f' y='%.0f' text-anchor='middle'>%s</text>\n", panel.x(0.5), kBottom + 48,
               x_title);
  std::fprintf(f, "<text transform='translate(%.0f %.0f) rotate(-90)' text-anchor='middle'>%s</text>\n",
               panel.left - 40, panel.y(0.5), y_title);
}

void legend(std::FILE* f, double x, double y, const char* colour, const std::string& name) {
  std::fprintf(f,
               "<rect x='%.0f' y='%.0f' width='12' height='12' fill='%s' fill-opacity='.75'/>"
               "<text x='%.0f' y='%.0f'>%s</text>\n",
               x, y - 10, colour, x + 17, y, name.c_str());
}

std::string label_of(const std::string& level) {
  const auto at = level.find("_one_capture");
  std::string label = at == std::string::npos ? level : level.substr(0, at) + " *";
  std::replace(label.begin(), label.end(), '_', ' ');
  return label;
}

void bars(std::FILE* f, const Panel& panel, const std::vector<Bar>& all) {
  frame(f, panel, "Reconstructed feature against the original", "level of theft (* all of one capture)",
        "mean cosine");
  std::vector<std::string> levels;
  for (const Bar& bar : all)
    if (std::find(levels.begin(), levels.end(), bar.level) == levels.end()) levels.push_back(bar.level);
  for (int tick = 0; tick <= 10; tick += 2)
    std::fprintf(f,
                 "<path d='M%.0f %.1fH%.0f' stroke='#ddd'/><text x='%.0f' y='%.1f' "
                 "text-anchor='end'>%.1f</text>\n",
                 panel.left, panel.y(tick / 10.0), panel.right, panel.left - 6, panel.y(tick / 10.0) + 4,
                 tick / 10.0);
  const double group = (panel.right - panel.left) / static_cast<double>(levels.size()), width = group * 0.26;
  for (size_t i = 0; i < levels.size(); ++i) {
    const double centre = panel.left + (static_cast<double>(i) + 0.5) * group;
    std::fprintf(f, "<text x='%.1f' y='%.0f' text-anchor='middle' font-size='10'>%s</text>\n", centre,
                 kBottom + (i % 2 == 0 ? 15 : 28), label_of(levels[i]).c_str());
    for (const Bar& bar : all) {
      if (bar.level != levels[i]) continue;
      const auto at = std::find(kCodeBits.begin(), kCodeBits.end(), bar.code_bits) - kCodeBits.begin();
      const double shown = std::clamp(bar.cosine, 0.0, 1.0);
      std::fprintf(f,
                   "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='%s'><title>%s, m = %zu: "
                   "%.3f</title></rect>\n",
                   centre + (static_cast<double>(at) - 1.5) * width, panel.y(shown), width * 0.92,
                   kBottom - panel.y(shown), kBarColours[at], bar.level.c_str(), bar.code_bits, bar.cosine);
    }
  }
  for (size_t k = 0; k < kCodeBits.size(); ++k)
    legend(f, panel.left + 12 + 90 * static_cast<double>(k), kTop - 14, kBarColours[k],
           text("m = %zu", kCodeBits[k]));
}

// Bins of the plot: a Hamming distance takes few values a bin of D_sys, one more here and one less there.
constexpr size_t kMerged = 4;
static_assert(kDsysBins % kMerged == 0);

std::vector<double> coarse(const Histogram& histogram) {
  std::vector<double> density(kDsysBins / kMerged, 0);
  for (size_t i = 0; i < kDsysBins; ++i) density[i / kMerged] += histogram.density[i] / kMerged;
  return density;
}

void area(std::FILE* f, const Panel& panel, const std::vector<double>& density, double highest,
          const char* colour) {
  std::fprintf(f, "<path d='M%.1f %.1f", panel.left, kBottom);
  for (size_t i = 0; i < density.size(); ++i)
    std::fprintf(f, "V%.1fH%.1f", panel.y(density[i] / highest),
                 panel.x(static_cast<double>(i + 1) / static_cast<double>(density.size())));
  std::fprintf(f, "V%.1fZ' fill='%s' fill-opacity='.35' stroke='%s' stroke-width='1'/>\n", kBottom, colour,
               colour);
}

// 1, 2 or 5 times a power of ten, so that about four of them fit.
double nice_step(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / 4)));
  for (const double step : {1.0, 2.0, 5.0})
    if (range / (step * power) <= 5) return step * power;
  return 10 * power;
}

void histograms(std::FILE* f, const Panel& panel, const Linkability& pairs, const std::string& title,
                const char* x_title) {
  frame(f, panel, title, x_title, "probability density");
  const std::vector<double> mated = coarse(pairs.mated), non_mated = coarse(pairs.non_mated);
  const double highest = 1.05 * std::max(*std::max_element(mated.begin(), mated.end()),
                                         *std::max_element(non_mated.begin(), non_mated.end()));
  area(f, panel, non_mated, highest, kNonMated);
  area(f, panel, mated, highest, kMated);
  const double low = pairs.mated.low, range = pairs.mated.high - low, step = nice_step(range);
  for (double tick = std::ceil(low / step) * step; tick <= low + range; tick += step)
    std::fprintf(f, "<text x='%.1f' y='%.0f' text-anchor='middle'>%.3g</text>\n",
                 panel.x((tick - low) / range), kBottom + 17, std::abs(tick) < step / 2 ? 0.0 : tick);
  for (double tick = 0; tick <= highest; tick += nice_step(highest))
    std::fprintf(f, "<text x='%.0f' y='%.1f' text-anchor='end'>%.3g</text>\n", panel.left - 6,
                 panel.y(tick / highest) + 4, tick);
  legend(f, panel.left + 12, kTop - 14, kMated, "one person");
  legend(f, panel.left + 110, kTop - 14, kNonMated, "two people");
}

}  // namespace

bool write_plot(const std::string& path, const Figures& figures, const std::string& caption) {
  const File file(std::fopen(path.c_str(), "w"), std::fclose);
  if (!file) return false;
  std::FILE* f = file.get();
  std::fprintf(f,
               "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1500 470' font-family='sans-serif' "
               "font-size='12' fill='#222'>\n<rect width='1500' height='470' fill='white'/>\n");
  bars(f, {70, 700}, figures.cosines);
  histograms(f, {790, 1110}, figures.secret,
             text("Keys secret: D_sys %.4f (null %.4f)", figures.secret.dsys, figures.secret_null),
             "Hamming distance of opened codes");
  histograms(f, {1180, 1480}, figures.stolen, text("Both roots stolen: D_sys %.3f", figures.stolen.dsys),
             "cosine of back-projections");
  std::fprintf(f, "<text x='20' y='458' fill='#555'>%s</text>\n</svg>\n", caption.c_str());
  return std::ferror(f) == 0;
}

}  // namespace visage::bench::protection
