#include "accuracy_plots.h"

#include <cmath>
#include <iterator>

#include "accuracy_format.h"
#include "accuracy_svg.h"

namespace visage::bench {
namespace {

// Apart in lightness as well as in hue (Okabe and Ito), and by dash.
const Pen kPens[] = {{.color = "#222222"},
                     {.color = "#d55e00", .dash = "2 3"},
                     {.color = "#0072b2"},
                     {.color = "#009e73", .dash = "8 4"}};
const Pen kGenuine{.color = "#0072b2", .width = 1.5, .fill = 0.15};
const Pen kImpostor{.color = "#d55e00", .width = 1.5, .fill = 0.15};
const Pen kThreshold{.color = "#222222", .width = 1, .dash = "4 3"};

bool is_operating_point(double far) {
  return far == 1e-3 || far == 1e-4 || far == 1e-5;
}

// (FAR, FRR) at every threshold that both rates support, up to a rate.
Points trade_off(const Measured& measured, double highest_far) {
  const Scores& scores = measured.scores;
  const Counts& all = measured.rates.front().counts;
  const double least = kRuleOf30 * static_cast<double>(scores.repeats);
  Points out;
  double accepts = 0, rejects = all.genuine;
  for (size_t bin = Histogram::kBins; bin-- > 0;) {
    accepts += static_cast<double>(scores.impostor_counts[bin]);
    rejects -= static_cast<double>(scores.genuine_counts[bin]);
    if (accepts >= least && rejects >= least && accepts <= highest_far * all.impostors)
      out.emplace_back(accepts / all.impostors, rejects / all.genuine);
  }
  return out;
}

// Share of the scores in bins of 0.01, as steps.
Points density(const Histogram& counts) {
  constexpr size_t kTogether = 20;
  static_assert(Histogram::kBins % kTogether == 0);
  double total = 0;
  for (size_t bin = 0; bin < Histogram::kBins; ++bin) total += static_cast<double>(counts[bin]);
  Points out;
  for (size_t bin = 0; bin < Histogram::kBins; bin += kTogether) {
    double sum = 0;
    for (size_t i = 0; i < kTogether; ++i) sum += static_cast<double>(counts[bin + i]);
    out.emplace_back(Histogram::low_edge(bin), sum / total);
    out.emplace_back(Histogram::low_edge(bin + kTogether), sum / total);
  }
  return out;
}

}  // namespace

bool plot_det(const std::vector<Named>& curves, const std::string& path) {
  Svg svg(860, 600, "False rejects against false accepts");
  const Scores& first = curves.front().measured->scores;
  svg.text(
      20, 48,
      format(
          "%zu people; stolen-token protocol; each curve as far as 30 errors of different pairs support it",
          first.people()));
  const Axis x = Axis::logarithmic(-6, -1, "false accept rate");
  Panel panel(svg, {90, 70, 740, 460}, x, Axis::logarithmic(-4, -1, "false reject rate"));
  std::vector<std::pair<std::string, Pen>> legend;
  for (size_t i = 0; i < curves.size(); ++i) {
    const Pen& pen = kPens[i % std::size(kPens)];
    panel.curve(trade_off(*curves[i].measured, x.high), pen);
    for (const Rate& rate : curves[i].measured->rates)
      if (is_operating_point(rate.far) && rate.supported()) panel.mark(rate.far, rate.counts.frr(), pen);
    std::string name = curves[i].name;
    for (const Rate& rate : curves[i].measured->rates)
      if (rate.far == 1e-5 && rate.supported())
        name += format(": FRR %.2f %% at FAR 1e-5", 100 * rate.counts.frr());
    legend.emplace_back(name, pen);
  }
  legend.emplace_back("operating points: FAR 1e-5, 1e-4, 1e-3", Pen{.color = "#222222", .width = 0});
  panel.legend(legend, 375);
  return svg.save(path);
}

bool plot_scores(const std::vector<Named>& panels, const std::string& path) {
  constexpr double kHeight = 300, kPitch = 380;
  Svg svg(860, 70 + static_cast<int>(kPitch * static_cast<double>(panels.size())), "Scores");
  double top = 80;
  for (const Named& one : panels) {
    const Scores& scores = one.measured->scores;
    const Counts& all = one.measured->rates.front().counts;
    svg.text(90, top - 12,
             format("%s: %.0f genuine, %.0f impostor attempts", one.name.c_str(), all.genuine, all.impostors),
             "font-weight=\"bold\"");
    Panel panel(svg, {90, top, 740, kHeight}, Axis::linear(-0.6, 1.2, 0.2, "score (estimated cosine)"),
                Axis::logarithmic(-7, 0, "share per 0.01"));
    panel.curve(density(scores.impostor_counts), kImpostor);
    panel.curve(density(scores.genuine_counts), kGenuine);
    int row = 0;
    for (auto rate = one.measured->rates.rbegin(); rate != one.measured->rates.rend(); ++rate)
      if (is_operating_point(rate->far) && rate->supported())
        panel.vertical(rate->threshold, format("%.3f: FAR 1e%.0f", rate->threshold, std::log10(rate->far)),
                       row++, kThreshold);
    panel.legend({{"impostor", kImpostor}, {"genuine", kGenuine}, {"threshold", kThreshold}}, 120);
    top += kPitch;
  }
  return svg.save(path);
}

}  // namespace visage::bench
