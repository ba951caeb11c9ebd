// How figures of this benchmark are summed up and printed.
#pragma once

#include <cstdarg>
#include <string>
#include <vector>

#include "json_line.h"
#include "protection_random.h"

namespace visage::bench::protection {

// printf into a string, for notes.
[[gnu::format(printf, 1, 2)]] inline std::string text(const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

inline void print(const std::string& metric, double value, const char* unit, const char* target, size_t n,
                  const std::string& note) {
  print_metric(("protection." + metric).c_str(), value, unit, target, static_cast<long long>(n),
               note.c_str());
}

// One value a target, with the person whom it belongs to.
struct Values {
  std::vector<double> value;
  std::vector<size_t> person;

  void add(double v, size_t p) {
    value.push_back(v);
    person.push_back(p);
  }
};

// The mean, and a 95 % bootstrap over people: targets of one person are not independent.
struct Mean {
  double mean = 0, low = 0, high = 0;
  size_t n = 0, people = 0;
};
Mean mean_of(const Values& values);

// Of an even number of values the upper one of the middle two.
double median(std::vector<double> values);

// Upper 95 % bound of a rate of which `count` of `n` trials were seen: Poisson's, which is not below the
// binomial's; 3/n when none was (rule of three).
double upper_bound(size_t count, size_t n);

// Normalised Hamming distances, and how many independent bits would spread as they do (Daugman): p(1 − p)/σ².
class Distances {
 public:
  void add(double distance) {
    ++n_;
    sum_ += distance;
    square_ += distance * distance;
  }
  size_t n() const { return n_; }
  double mean() const { return sum_ / static_cast<double>(n_); }
  double variance() const { return square_ / static_cast<double>(n_) - mean() * mean(); }
  double degrees_of_freedom() const { return mean() * (1 - mean()) / variance(); }

 private:
  size_t n_ = 0;
  double sum_ = 0, square_ = 0;
};

}  // namespace visage::bench::protection
