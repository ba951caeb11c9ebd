#include "accuracy_features.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "accuracy_progress.h"
#include "core/match/match.h"

namespace visage::bench {
namespace {

constexpr size_t kSpotChecks = 16;
constexpr double kSameFeature = 0.99999;  // cosine; other builds of the runtime differ in the last bits

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// One picture in the file; `failure` is a FailureCode or kNone, and then `dimension` floats follow.
struct Record {
  uint32_t index;
  uint16_t dimension;
  uint16_t failure;
};
constexpr uint16_t kNone = 0xffff;

std::filesystem::path cache_path(const Dataset& dataset, const std::string& model) {
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root = xdg != nullptr && *xdg != '\0'
                                         ? std::filesystem::path(xdg)
                                         : std::filesystem::path(home != nullptr ? home : ".") / ".cache";
  uint8_t digest[crypto::kDigestSize];
  crypto::sha256(dataset.archive(), digest);
  std::string name = "accuracy-" + model + "-";
  for (char& c : name)
    if (c == '/') c = '_';
  for (size_t i = 0; i < 8; ++i) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", digest[i]);
    name += pair;
  }
  return root / "pg_visage" / "bench" / (name + ".features");
}

// Reads whole records; a torn one at the end, from an interrupted run, ends the reading. Returns the bytes
// that were whole.
size_t read_cache(const std::filesystem::path& path, const std::string& model,
                  std::vector<probe::Contents>& contents, std::vector<bool>& known) {
  const File file(std::fopen(path.c_str(), "rb"), std::fclose);
  size_t whole = 0;
  Record record;
  while (file && std::fread(&record, sizeof record, 1, file.get()) == 1) {
    if (record.index >= contents.size() || record.dimension > probe::kMaxDimension) break;
    probe::Contents& one = contents[record.index];
    if (std::fread(one.feature, sizeof(float), record.dimension, file.get()) != record.dimension) break;
    one.dimension = record.dimension;
    if (!probe::set_model(model, one).ok()) break;
    known[record.index] = true;
    whole += sizeof record + record.dimension * sizeof(float);
  }
  return whole;
}

bool still_true(const Dataset& dataset, const capture::Pipeline& pipeline,
                const std::vector<probe::Contents>& contents, const std::vector<bool>& known) {
  const size_t step = std::max<size_t>(1, contents.size() / kSpotChecks);
  for (size_t i = 0; i < contents.size(); i += step) {
    if (!known[i]) continue;
    capture::Capture capture;
    const bool failed = pipeline.process(dataset.pictures()[i].bytes, {}, capture).has_value();
    if (failed != (contents[i].dimension == 0)) return false;
    if (failed) continue;
    const match::Comparison comparison = match::compare_probes(capture.contents, contents[i]);
    if (!comparison.comparable || comparison.score < kSameFeature) return false;
  }
  return true;
}

}  // namespace

bool extract_features(const Dataset& dataset, const capture::Pipeline& pipeline, Features& out) {
  const size_t count = dataset.pictures().size();
  out.contents.assign(count, {});
  std::vector<bool> known(count, false);
  const std::filesystem::path path = cache_path(dataset, pipeline.model_id());
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  size_t whole = read_cache(path, pipeline.model_id(), out.contents, known);
  if (whole != 0 && !still_true(dataset, pipeline, out.contents, known)) {
    std::fprintf(stderr, "the pipeline has changed since %s was written: starting again\n", path.c_str());
    out.contents.assign(count, {});
    known.assign(count, false);
    whole = 0;
  }
  if (std::filesystem::exists(path, error)) std::filesystem::resize_file(path, whole, error);
  const File file(std::fopen(path.c_str(), "ab"), std::fclose);
  if (!file) {
    std::fprintf(stderr, "cannot write %s\n", path.c_str());
    return false;
  }
  // Features of people: for the owner's eyes only.
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                               error);
  const size_t had = static_cast<size_t>(std::count(known.begin(), known.end(), true));
  if (had != 0) std::fprintf(stderr, "%zu of %zu features from %s\n", had, count, path.c_str());

  std::mutex mutex;
  std::atomic<size_t> next{0};
  Progress progress("features", count - had);
  const auto work = [&] {
    for (size_t i; (i = next++) < count;) {
      if (known[i]) continue;
      const auto capture = std::make_unique<capture::Capture>();
      const auto failure = pipeline.process(dataset.pictures()[i].bytes, {}, *capture);
      const Record record{static_cast<uint32_t>(i), failure ? uint16_t{0} : capture->contents.dimension,
                          failure ? static_cast<uint16_t>(failure->code) : kNone};
      const std::lock_guard lock(mutex);
      if (!failure) out.contents[i] = capture->contents;
      out.timings.push_back(capture->timings);
      std::fwrite(&record, sizeof record, 1, file.get());
      std::fwrite(capture->contents.feature, sizeof(float), record.dimension, file.get());
      if (out.timings.size() % 64 == 0) std::fflush(file.get());
      progress.step();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  for (const probe::Contents& one : out.contents) out.found += one.dimension != 0;
  return true;
}

}  // namespace visage::bench
