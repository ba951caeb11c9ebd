#include "sidecar/app/metrics.h"

#include <cstdio>

namespace visage::sidecar {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string type_line(const std::string& name, const char* type) {
  return "# TYPE " + name + " " + type + "\n";
}

std::string series(const std::string& name, const std::string& labels, const std::string& value) {
  return name + (labels.empty() ? "" : "{" + labels + "}") + " " + value + "\n";
}

}  // namespace

std::string label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text + "\"";
}

void Metrics::count(std::string_view name, const std::string& labels) {
  const std::lock_guard lock(mutex_);
  ++counters_[std::string(name)][labels];
}

void Metrics::observe(std::string_view name, const std::string& labels, double seconds) {
  size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  const std::lock_guard lock(mutex_);
  Histogram& histogram = histograms_[std::string(name)][labels];
  ++histogram.buckets[bucket];
  histogram.sum += seconds;
}

void Metrics::gauge(std::string_view name, const std::string& labels, std::function<double()> value) {
  gauges_.push_back({std::string(name), labels, std::move(value)});
}

std::string Metrics::render() const {
  std::string text;
  std::string previous;
  for (const Gauge& gauge : gauges_) {
    if (gauge.name != previous) text += type_line(gauge.name, "gauge");
    previous = gauge.name;
    text += series(gauge.name, gauge.labels, number(gauge.value()));
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [name, all] : counters_) {
    text += type_line(name, "counter");
    for (const auto& [labels, value] : all) text += series(name, labels, std::to_string(value));
  }
  for (const auto& [name, all] : histograms_) {
    text += type_line(name, "histogram");
    for (const auto& [labels, histogram] : all) {
      uint64_t below = 0;
      for (size_t i = 0; i < histogram.buckets.size(); ++i) {
        below += histogram.buckets[i];
        const std::string bound = i < kBounds.size() ? number(kBounds[i]) : "+Inf";
        text += series(name + "_bucket", labels + (labels.empty() ? "" : ",") + label("le", bound),
                       std::to_string(below));
      }
      text += series(name + "_sum", labels, number(histogram.sum));
      text += series(name + "_count", labels, std::to_string(below));
    }
  }
  return text;
}

}  // namespace visage::sidecar
