// Counters and histograms in the Prometheus text format (version 0.0.4). Thread-safe.
//
// Labels come from our own tables (routes, problem codes, outcome reasons), never from a request, so their
// number is bounded.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace visage::sidecar {

class Metrics {
 public:
  // `labels` as they are printed: route="verify",status="200". With nothing to add the series is there, at 0.
  void count(std::string_view name, const std::string& labels, uint64_t add = 1);
  void observe(std::string_view name, const std::string& labels, double seconds);
  // Asked at each scrape. Register all before serving.
  void gauge(std::string_view name, const std::string& labels, std::function<double()> value);

  std::string render() const;

 private:
  static constexpr std::array kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                         0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
  struct Histogram {
    std::array<uint64_t, kBounds.size() + 1> buckets{};
    double sum = 0;
  };
  struct Gauge {
    std::string name, labels;
    std::function<double()> value;
  };

  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, uint64_t>> counters_;
  std::map<std::string, std::map<std::string, Histogram>> histograms_;
  std::vector<Gauge> gauges_;
};

// One label, escaped.
std::string label(std::string_view name, std::string_view value);

}  // namespace visage::sidecar
