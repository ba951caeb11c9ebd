#include "protection_thresholds.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "accuracy_progress.h"

namespace visage::bench::protection {
namespace {

constexpr double kErrorsNeeded = 30;

using Row = std::vector<float>;

float product(const float* a, const float* b, size_t size) {
  float lanes[4] = {};  // independent sums: the processor need not wait for each addition
  size_t i = 0;
  for (; i + 4 <= size; i += 4)
    for (size_t k = 0; k < 4; ++k) lanes[k] += a[i + k] * b[i + k];
  for (; i < size; ++i) lanes[0] += a[i] * b[i];
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

// Score that the highest kFmr of all pairs of strangers reach; every unordered pair once.
double highest(const Faces& faces, const std::vector<size_t>& known, const std::vector<Row>& references,
               size_t& pairs) {
  std::vector<float> scores;
  for (size_t i = 0; i < known.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (faces.all[known[i]].person != faces.all[known[j]].person)
        scores.push_back(product(references[i].data(), faces.feature(known[j]), faces.dimension));
  pairs = scores.size();
  const auto at = scores.begin() + static_cast<long>(kFmr * static_cast<double>(pairs));
  std::nth_element(scores.begin(), at, scores.end(), std::greater<>());
  return *at;
}

// A reference as one vector whose product with a probe is the score; held against the real comparison.
Row as_vector(Bank& bank, const Faces& faces, size_t face, size_t bits, bool prove) {
  const Record record = bank.enrol(faces.contents(face), bits);
  const reference::Opened opened = bank.open(record);
  const Stolen stolen{&opened, bits};
  const Feature back = back_project({&stolen, 1}, faces.dimension);
  Row row;
  for (const double value : back)
    row.push_back(static_cast<float>(value * product_to_score(faces.dimension, bits)));
  if (prove) {
    const double ours = product(row.data(), faces.feature(0), faces.dimension);
    if (std::abs(ours - bank.score(record, faces.contents(0))) > 1e-5) {
      std::fprintf(stderr, "bench-protection: match::compare() and the benchmark disagree\n");
      std::exit(1);
    }
  }
  return row;
}

}  // namespace

bool measure_thresholds(Bank& bank, const Faces& faces, Thresholds& out) {
  const std::vector<size_t> known = faces_of(faces.known);
  const double expected =
      kFmr * static_cast<double>(known.size()) * static_cast<double>(known.size() - 1) / 2;
  if (expected < kErrorsNeeded) {
    std::fprintf(stderr, "bench-protection: %zu faces give %.0f false matches at FMR %g; 30 are needed\n",
                 known.size(), expected, kFmr);
    return false;
  }
  Progress progress("thresholds", 1 + kCodeBits.size());
  std::vector<Row> rows;
  for (const size_t face : known)
    rows.emplace_back(faces.feature(face), faces.feature(face) + faces.dimension);
  out.plain = highest(faces, known, rows, out.pairs);
  progress.step();
  for (size_t k = 0; k < kCodeBits.size(); ++k) {
    for (size_t i = 0; i < known.size(); ++i)
      rows[i] = as_vector(bank, faces, known[i], kCodeBits[k], i % 64 == 0);
    out.hidden[k] = highest(faces, known, rows, out.pairs);
    progress.step();
  }
  return true;
}

}  // namespace visage::bench::protection
