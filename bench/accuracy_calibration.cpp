#include "accuracy_calibration.h"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>

#include "accuracy_format.h"

namespace visage::bench {
namespace {

// Ids never change: a row that somebody edited takes the place of the shipped one of the same id.
struct Slot {
  int id;
  const char* scheme;
  Far far;
};
constexpr Slot kSlots[] = {
    {1, "plain", {1e-3, "1e-3"}},       {2, "plain", {1e-4, "1e-4"}},
    {3, "plain", {1e-5, "1e-5"}},       {4, "RFR-1/1024", {1e-3, "1e-3"}},
    {5, "RFR-1/1024", {1e-4, "1e-4"}},  {6, "RFR-1/1024", {1e-5, "1e-5"}},
    {7, "plain", {2e-6, "2e-6"}},       {8, "RFR-1/1024", {2e-6, "2e-6"}},
    {9, "RFR-1/512", {1e-3, "1e-3"}},   {10, "RFR-1/512", {1e-4, "1e-4"}},
    {11, "RFR-1/512", {1e-5, "1e-5"}},  {12, "RFR-1/512", {2e-6, "2e-6"}},
    {13, "RFR-1/2048", {1e-3, "1e-3"}}, {14, "RFR-1/2048", {1e-4, "1e-4"}},
    {15, "RFR-1/2048", {1e-5, "1e-5"}}, {16, "RFR-1/2048", {2e-6, "2e-6"}},
    {17, "plain", {1e-6, "1e-6"}},      {18, "RFR-1/512", {1e-6, "1e-6"}},
    {19, "RFR-1/1024", {1e-6, "1e-6"}}, {20, "RFR-1/2048", {1e-6, "1e-6"}},
};

double rounded_up(double threshold) {
  return std::ceil(threshold * 1e4 - 1e-9) / 1e4;
}

std::string row_of(const Slot& slot, const Measured& measured) {
  for (const Rate& rate : measured.rates) {
    if (rate.far != slot.far.rate || !rate.supported()) continue;
    const double threshold = rounded_up(rate.threshold);
    const Counts counts = count_at(measured.scores, threshold, Weights(measured.scores.people(), 1));
    const std::string scheme = format("'%s',", slot.scheme);
    return format("    (%d, %-13s %s, %.4f, %.4f, %.4f, %.4f, %.0f, %.0f)", slot.id, scheme.c_str(),
                  slot.far.name, threshold, counts.frr(), rate.frr.low, rate.frr.high, counts.genuine,
                  counts.impostors);
  }
  return {};
}

std::string with_thousands(size_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

}  // namespace

bool write_calibration(const std::string& model, const Dataset& dataset, const std::vector<Scheme>& schemes,
                       const std::string& path) {
  std::string rows;
  for (const Slot& slot : kSlots)
    for (const Scheme& scheme : schemes)
      if (const std::string row = scheme.name == slot.scheme ? row_of(slot, *scheme.measured) : "";
          !row.empty())
        rows += (rows.empty() ? "" : ",\n") + row;
  if (rows.empty()) {
    std::remove(path.c_str());  // of an earlier run
    std::fprintf(stderr, "no rate is supported: no %s\n", path.c_str());
    return true;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  if (!file) {
    std::fprintf(stderr, "cannot write %s\n", path.c_str());
    return false;
  }
  std::fprintf(
      file.get(),
      "INSERT INTO visage.calibration (id, model, scheme, fmr, threshold, fnmr, fnmr_low, fnmr_high, "
      "genuine_pairs, impostor_pairs,\n"
      "                                people, source, measured_at, builtin)\n"
      "  SELECT id, '%s', scheme, fmr, threshold, fnmr, low, high, genuine, impostor, %zu,\n"
      "         'make bench-accuracy on half of LFW: %s pictures; interval: bootstrap over people', '%s', "
      "true\n"
      "  FROM (VALUES\n%s\n"
      "  ) t (id, scheme, fmr, threshold, fnmr, low, high, genuine, impostor);\n",
      model.c_str(), dataset.people(), with_thousands(dataset.pictures().size()).c_str(), today().c_str(),
      rows.c_str());
  std::fprintf(stderr, "%s\n", path.c_str());
  return true;
}

}  // namespace visage::bench
