#include "protection_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "accuracy_rates.h"

namespace visage::bench::protection {

namespace {
constexpr int kRounds = 1000;
}

Mean mean_of(const Values& values) {
  struct Person {
    double sum = 0;
    size_t n = 0;
  };
  std::map<size_t, Person> by_person;
  for (size_t i = 0; i < values.value.size(); ++i) {
    Person& person = by_person[values.person[i]];
    person.sum += values.value[i];
    ++person.n;
  }
  std::vector<Person> people;
  Person all;
  for (const auto& [id, person] : by_person) {
    people.push_back(person);
    all.sum += person.sum;
    all.n += person.n;
  }
  if (people.empty()) return {};
  Random random(1);  // of its own: a figure must not depend on what was printed before it
  std::uniform_int_distribution<size_t> pick(0, people.size() - 1);
  std::vector<double> means;
  for (int round = 0; round < kRounds; ++round) {
    Person drawn;
    for (size_t i = 0; i < people.size(); ++i) {
      const Person& person = people[pick(random)];
      drawn.sum += person.sum;
      drawn.n += person.n;
    }
    means.push_back(drawn.sum / static_cast<double>(drawn.n));
  }
  std::sort(means.begin(), means.end());
  return {all.sum / static_cast<double>(all.n), means[kRounds * 25 / 1000], means[kRounds * 975 / 1000],
          all.n, people.size()};
}

double median(std::vector<double> values) {
  if (values.empty()) return NAN;
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double upper_bound(size_t count, size_t n) {
  return std::min(1.0, poisson_limit(static_cast<double>(count)) / static_cast<double>(n));
}

}  // namespace visage::bench::protection
