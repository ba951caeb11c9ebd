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

double median(std::vector<double> values);

// Upper 95 % bound of a rate of which `count` of `n` trials were seen: 3/n when none was (rule of three), the
// normal approximation otherwise.
double upper_bound(size_t count, size_t n);

}  // namespace visage::bench::protection
