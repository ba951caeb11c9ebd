#include "liveness_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "json_line.h"

namespace visage::bench {
namespace {

using liveness::Outcome;
using liveness::Verdict;

bool is_attack(const std::string& metric) {
  return metric.starts_with("apcer");
}

bool is_error(const std::string& metric, const Outcome& outcome) {
  return (outcome.verdict == Verdict::kPass) == is_attack(metric);
}

// Wilson's score interval, 95 %.
void interval(double errors, double n, double& low, double& high) {
  const double z = 1.96, p = errors / n, middle = p + z * z / (2 * n), d = 1 + z * z / n;
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  low = std::max(0.0, (middle - half) / d);
  high = std::min(1.0, (middle + half) / d);
}

double percentile(const std::vector<float>& sorted, size_t percent) {
  return static_cast<double>(sorted[(sorted.size() - 1) * percent / 100]);
}

void report_row(std::span<const Sheet> sheets, const Row& row) {
  int errors = 0;
  std::vector<float> values;
  std::map<std::string, int> refused;
  for (const Sheet& sheet : sheets)
    for (const auto& [metric, outcome] : sheet.outcomes) {
      if (metric != row.metric) continue;
      errors += is_error(metric, outcome);
      values.push_back(outcome.value);
      if (outcome.verdict != Verdict::kPass)
        ++refused[std::string(liveness::name(outcome.method)) + ":" +
                  std::string(liveness::info(outcome.reason).name)];
    }
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double low = 0, high = 0;
  interval(errors, n, low, high);
  std::string reasons;
  for (const auto& [reason, count] : refused) reasons += " " + reason + "=" + std::to_string(count);
  char note[700];
  std::snprintf(note, sizeof note,
                "%d of %zu; 95 %% %.4f to %.4f; %s; values at 5, 50 and 95 %%: %.2f %.2f %.2f;%s", errors,
                values.size(), low, high, row.by, percentile(values, 5), percentile(values, 50),
                percentile(values, 95), reasons.c_str());
  print_metric(("liveness." + row.metric).c_str(), errors / n, "ratio", row.target,
               static_cast<long long>(values.size()), note);
}

}  // namespace

void report(std::span<const Sheet> sheets, std::span<const Row> rows) {
  for (const Row& row : rows) report_row(sheets, row);
}

void report_so_far(std::span<const Sheet> sheets) {
  std::map<std::string, std::pair<int, int>> counts;
  for (const Sheet& sheet : sheets)
    for (const auto& [metric, outcome] : sheet.outcomes) {
      counts[metric].first += is_error(metric, outcome);
      ++counts[metric].second;
    }
  std::string line;
  for (const auto& [metric, count] : counts)
    line += " " + metric + " " + std::to_string(count.first) + "/" + std::to_string(count.second);
  if (!line.empty()) std::fprintf(stderr, "\nso far:%s\n", line.c_str());
}

void print_spread(std::span<const Sheet> sheets) {
  std::map<std::string, std::vector<float>> all;
  for (const Sheet& sheet : sheets)
    for (const auto& [name, value] : sheet.numbers) all[name].push_back(value);
  for (auto& [name, values] : all) {
    std::sort(values.begin(), values.end());
    std::fprintf(stderr, "%-40s n %4zu  %.3f %.3f %.3f %.3f %.3f\n", name.c_str(), values.size(),
                 percentile(values, 0), percentile(values, 1), percentile(values, 50), percentile(values, 99),
                 percentile(values, 100));
  }
}

}  // namespace visage::bench
