#include "accuracy_rates.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace visage::bench {
namespace {

constexpr double kRuleOf30 = 30;  // Doddington et al. 2000
constexpr uint64_t kSeed = 20210730;

struct Point {
  double threshold, frr, accepts, rejects, genuine, impostors;
};

// The rates when person i is counted weight[i] times. A person's copies are not compared with each other.
std::vector<Point> weigh(const Scores& scores, const std::vector<double>& fars,
                         const std::vector<double>& weight) {
  double all = 0, own = 0, genuine = 0, lost = 0;
  for (size_t i = 0; i < weight.size(); ++i) {
    const double pictures = weight[i] * static_cast<double>(scores.pictures[i]);
    all += pictures;
    own += pictures * pictures;
    genuine += pictures * static_cast<double>(scores.pictures[i] - 1) / 2;
    lost += weight[i] * static_cast<double>(scores.not_scored[i]);
  }
  const double orders = static_cast<double>(scores.orders);
  const double impostors = orders * (all * all - own) / 2;
  genuine *= orders;
  std::vector<Point> points;
  size_t at = 0;
  double accepted = 0;
  for (const double far : fars) {  // ascending
    for (; at < scores.impostors.size(); ++at) {
      const Impostor& pair = scores.impostors[at];
      const double next = accepted + weight[pair.person] * weight[pair.other];
      if (next > far * impostors) break;
      accepted = next;
    }
    const float score = at < scores.impostors.size() ? scores.impostors[at].score : -1;
    points.push_back({std::nextafter(score, 2.0f), 0, accepted, 0, genuine, impostors});
  }
  for (Point& point : points) {
    double rejected = lost;
    for (const Genuine& pair : scores.genuine) {  // ascending
      if (pair.score >= static_cast<float>(point.threshold)) break;
      rejected += weight[pair.person];
    }
    point.rejects = rejected;
    point.frr = genuine > 0 ? rejected / genuine : 0;
  }
  return points;
}

}  // namespace

std::vector<Rate> rates(Scores& scores, const std::vector<double>& fars, int rounds) {
  std::sort(scores.genuine.begin(), scores.genuine.end(),
            [](const Genuine& a, const Genuine& b) { return a.score < b.score; });
  std::sort(scores.impostors.begin(), scores.impostors.end(),
            [](const Impostor& a, const Impostor& b) { return a.score > b.score; });
  const size_t people = scores.pictures.size();
  const std::vector<Point> points = weigh(scores, fars, std::vector<double>(people, 1));
  std::vector<std::vector<double>> samples(fars.size());
  std::mt19937_64 random(kSeed);
  std::uniform_int_distribution<size_t> person(0, people - 1);
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> weight(people, 0);
    for (size_t i = 0; i < people; ++i) weight[person(random)] += 1;
    const std::vector<Point> resampled = weigh(scores, fars, weight);
    for (size_t i = 0; i < fars.size(); ++i) samples[i].push_back(resampled[i].frr);
  }
  std::vector<Rate> out;
  for (size_t i = 0; i < fars.size(); ++i) {
    const Point& point = points[i];
    Rate rate;
    rate.far = fars[i];
    rate.supported = fars[i] * point.impostors / static_cast<double>(scores.orders) >= kRuleOf30;
    rate.threshold = point.threshold;
    rate.frr = point.frr;
    std::sort(samples[i].begin(), samples[i].end());
    if (!samples[i].empty()) {
      rate.low = samples[i][static_cast<size_t>(0.025 * static_cast<double>(samples[i].size()))];
      rate.high = samples[i][static_cast<size_t>(0.975 * static_cast<double>(samples[i].size()))];
    }
    rate.genuine_pairs = static_cast<uint64_t>(point.genuine);
    rate.impostor_pairs = static_cast<uint64_t>(point.impostors);
    rate.false_accepts = static_cast<uint64_t>(point.accepts);
    rate.false_rejects = static_cast<uint64_t>(point.rejects);
    out.push_back(rate);
  }
  return out;
}

}  // namespace visage::bench
