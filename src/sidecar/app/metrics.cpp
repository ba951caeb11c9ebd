#include "sidecar/app/metrics.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

namespace visage::sidecar {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

// What each one means; a test holds /metrics against this table.
constexpr std::pair<std::string_view, std::string_view> kHelp[] = {
    {"process_resident_memory_bytes", "Memory of the process in RAM"},
    {"visaged_adapter_total", "Requests to services of others, by what came of them"},
    {"visaged_build_info", "1, labelled with the version"},
    {"visaged_captures", "Captures of several frames between one frame and the next"},
    {"visaged_connections", "Connections of the API: open ones, and those that wait for a thread"},
    {"visaged_database_connections", "Connections to the database"},
    {"visaged_id_photos", "ID photos that wait for the capture that they are compared with"},
    {"visaged_liveness_total",
     "Methods of liveness by what they said of captures of several frames, and why"},
    {"visaged_memory_locked", "1 when the memory cannot reach swap"},
    {"visaged_networks_seconds", "Time of one picture inside the networks, a part of its stages"},
    {"visaged_outcomes_total", "Verdicts by flow, decision and reason"},
    {"visaged_pipelines", "Pictures that are processed, and requests that wait for that"},
    {"visaged_ready", "1 when /ready says so"},
    {"visaged_request_seconds", "First byte of a request to its answer"},
    {"visaged_requests_total", "Requests by route and status"},
    {"visaged_stage_seconds", "Stages of a request"},
};

std::string head(const std::string& name, const char* type) {
  const auto* help = std::find_if(std::begin(kHelp), std::end(kHelp),
                                  [&name](const auto& entry) { return entry.first == name; });
  std::string text;
  if (help != std::end(kHelp)) text = "# HELP " + name + " " + std::string(help->second) + "\n";
  return text + "# TYPE " + name + " " + type + "\n";
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

void Metrics::count(std::string_view name, const std::string& labels, uint64_t add) {
  const std::lock_guard lock(mutex_);
  counters_[std::string(name)][labels] += add;
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
    if (gauge.name != previous) text += head(gauge.name, "gauge");
    previous = gauge.name;
    text += series(gauge.name, gauge.labels, number(gauge.value()));
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [name, all] : counters_) {
    text += head(name, "counter");
    for (const auto& [labels, value] : all) text += series(name, labels, std::to_string(value));
  }
  for (const auto& [name, all] : histograms_) {
    text += head(name, "histogram");
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
