// make bench-quality: does each measure follow its defect, what does it cost, how many bona fide pictures
// pass?
//
//   quality <models> [<folder of pictures>…]      the folders are for pass rates only
//   quality --meshes <models>                     the portraits' meshes, for bench/quality_mean_face.py
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "accuracy_parallel.h"
#include "json_line.h"
#include "measure.h"
#include "quality_defects.h"
#include "sidecar/capture/pipeline.h"
#include "sidecar/quality/profile.h"

namespace visage::bench {
namespace {

using quality::Reading;

constexpr size_t kPortraitStep = 4;  // of 158: enough for a mean
// A mean may stay where it is by this much of its range before that counts as the wrong way.
constexpr double kFlat = 0.005;

size_t index_of(probe::Measure measure) {
  size_t i = 0;
  while (quality::definitions()[i].id != measure) ++i;
  return i;
}

// Mean of a measure over the faces, per level.
struct Course {
  std::vector<double> mean;
  std::vector<int> count;
};

// What all measures say at every level of a defect.
std::vector<quality::Readings> readings_of(const Finder& finder, const Face& face, const Defect& defect) {
  std::vector<quality::Readings> levels;
  for (const double level : defect.levels) {
    const Damaged damaged = defect.make(face, level);
    const bool untouched = damaged.picture.data == face.picture.data;  // the defect is the depth map's
    Face seen;
    quality::Readings readings{};
    if (untouched || finder.find(damaged.picture, seen)) {
      const Face& shown = untouched ? face : seen;
      const quality::View view({damaged.picture, damaged.file, shown.faces, shown.mesh, &shown.shapes,
                                damaged.depth ? &*damaged.depth : nullptr});
      quality::assess(view, readings);
    }
    levels.push_back(readings);
  }
  return levels;
}

void run_defect(const Finder& finder, const std::vector<Face>& faces, const Defect& defect) {
  std::vector<std::vector<quality::Readings>> seen(faces.size());
  on_every_core(defect.name, faces.size(), [&] {
    return [&](size_t i) {
      seen[i] = readings_of(finder, faces[i], defect);
      return true;
    };
  });
  std::map<probe::Measure, Course> courses;
  for (const auto& [measure, follows] : defect.measured)
    courses[measure] = {std::vector<double>(defect.levels.size()), std::vector<int>(defect.levels.size())};
  for (const std::vector<quality::Readings>& levels : seen)
    for (const auto& [measure, follows] : defect.measured) {
      const size_t at = index_of(measure);
      // A face counts only where every level could be assessed, so that the means are of the same faces.
      bool all = true;
      for (const quality::Readings& readings : levels) all = all && readings[at].assessed;
      if (!all) continue;
      for (size_t level = 0; level < levels.size(); ++level) {
        courses[measure].mean[level] += static_cast<double>(levels[level][at].native);
        ++courses[measure].count[level];
      }
    }
  for (const auto& [measure, follows] : defect.measured) {
    Course& course = courses[measure];
    const int count = course.count[0];
    std::string values;
    bool right = count > 0;
    for (size_t level = 0; level < course.mean.size(); ++level) {
      if (count > 0) course.mean[level] /= count;
      char text[32];
      std::snprintf(text, sizeof text, "%s%.4g", level == 0 ? "" : " ", course.mean[level]);
      values += text;
    }
    const double range = std::abs(course.mean.back() - course.mean.front());
    for (size_t level = 1; level < course.mean.size(); ++level) {
      const double step = course.mean[level] - course.mean[level - 1];
      right = right && (follows == Follows::kRises ? step : -step) > -kFlat * range;
    }
    right = right && (follows == Follows::kRises) == (course.mean.back() > course.mean.front());
    const std::string metric = "quality.follows." + std::string(defect.name) + "." +
                               std::string(quality::definitions()[index_of(measure)].name);
    print_metric(metric.c_str(), right, "bool", ">= 1", count, values.c_str());
  }
}

// The least of several rounds.
double microseconds_of(const std::function<void()>& work, int times) {
  double least = 1e12;
  for (int i = 0; i < times; ++i) {
    const double start = thread_ms();
    work();
    least = std::min(least, 1e3 * (thread_ms() - start));
  }
  return least;
}

void run_times(const std::vector<Face>& faces) {
  constexpr int kTimes = 5;
  const double count = static_cast<double>(faces.size());
  std::vector<double> each(quality::kMeasures);
  double view_time = 0;
  for (const Face& face : faces) {
    const quality::Scene scene{face.picture, {}, face.faces, face.mesh, &face.shapes};
    view_time += microseconds_of([&] { const quality::View view(scene); }, kTimes) / count;
    const quality::View view(scene);
    for (size_t i = 0; i < quality::kMeasures; ++i)
      each[i] += microseconds_of([&] { (void)quality::functions()[i](view); }, kTimes) / count;
  }
  double all = view_time;
  const auto n = static_cast<long long>(faces.size());
  print_metric("quality.time.view", view_time, "us", "", n, "preparing what all measures share");
  for (size_t i = 0; i < quality::kMeasures; ++i) {
    all += each[i];
    if (each[i] >= 1)
      print_metric(("quality.time." + std::string(quality::definitions()[i].name)).c_str(), each[i], "us", "",
                   n, "");
  }
  print_metric("quality.time.all", all, "us", "", n,
               "512 x 512 portraits, processor time, least of five rounds");
}

void run_share(const capture::Pipeline& pipeline, const std::vector<std::string>& files) {
  capture::Timings sum;
  for (const std::string& file : files) {
    const std::vector<uint8_t> bytes = read_bytes(file);
    capture::Capture taken;
    if (pipeline.process(bytes, {}, taken)) continue;
    const capture::Timings& t = taken.timings;
    sum.decode += t.decode;
    sum.detect += t.detect;
    sum.mesh += t.mesh;
    sum.expression += t.expression;
    sum.quality += t.quality;
    sum.align += t.align;
    sum.feature += t.feature;
    sum.liveness += t.liveness;
  }
  const double count = static_cast<double>(files.size());
  char note[160];
  std::snprintf(note, sizeof note,
                "ms: decode %.2f detect %.2f mesh %.2f align %.2f feature %.2f liveness %.2f expression %.2f "
                "quality %.2f",
                sum.decode / count, sum.detect / count, sum.mesh / count, sum.align / count,
                sum.feature / count, sum.liveness / count, sum.expression / count, sum.quality / count);
  print_metric("quality.outside_networks_share", (sum.decode + sum.align + sum.quality) / sum.total(),
               "ratio", "<= 0.15", static_cast<long long>(files.size()), note);
}

void run_pass_rates(const capture::Pipeline& pipeline, const std::string& name,
                    const std::vector<std::string>& files) {
  std::vector<std::optional<quality::Readings>> inspected(files.size());
  on_every_core(name.c_str(), files.size(), [&] {
    return [&](size_t i) {
      const std::vector<uint8_t> bytes = read_bytes(files[i]);
      capture::InspectRequest request;
      request.image = bytes;
      capture::Inspection seen;
      if (!pipeline.inspect(request, seen)) inspected[i] = seen.readings;
      return true;
    };
  });
  std::vector<quality::Readings> all;
  for (const auto& readings : inspected)
    if (readings) all.push_back(*readings);
  const auto n = static_cast<long long>(all.size());
  if (n == 0) return;
  for (const quality::Profile& profile : quality::profiles()) {
    std::map<std::string_view, int> failed, unknown;
    int good = 0;
    for (const quality::Readings& readings : all) {
      const quality::Judgement judgement = quality::judge(readings, profile);
      bool fine = true;
      for (const quality::Check& check : judgement.checks) {
        if (check.limit == nullptr) continue;
        failed[check.definition->name] += check.verdict == quality::Verdict::kFail;
        unknown[check.definition->name] += check.verdict == quality::Verdict::kUndetermined;
        // The sets are smaller than 7.4a asks for by their making; that limit is reported, not counted.
        const bool size = check.definition->name == "ImageWidth" || check.definition->name == "ImageHeight";
        fine = fine && (size || check.verdict != quality::Verdict::kFail);
      }
      good += fine;
    }
    const std::string base = "quality.pass." + name + "." + std::string(profile.name);
    print_metric(base.c_str(), static_cast<double>(good) / static_cast<double>(n), "ratio", "", n,
                 "no limit failed, picture size aside");
    for (const auto& [measure, count] : failed)
      if (count > 0)
        print_metric((base + ".fails." + std::string(measure)).c_str(),
                     static_cast<double>(count) / static_cast<double>(n), "ratio", "", n, "");
    for (const auto& [measure, count] : unknown)
      if (count > 0 && count < n)
        print_metric((base + ".undetermined." + std::string(measure)).c_str(),
                     static_cast<double>(count) / static_cast<double>(n), "ratio", "", n, "");
  }
}

int print_meshes(const Finder& finder, const std::string& models) {
  for (const std::string& file : pictures_below(models + "/portraits", 1)) {
    cv::Mat picture;
    Face face;
    if (!decode_picture(read_bytes(file), picture) || !finder.find(picture, face)) continue;
    std::printf("%s", std::filesystem::path(file).stem().c_str());
    for (size_t i = 0; i < capture::kMeshPoints; ++i)
      std::printf(" %.3f %.3f %.3f", static_cast<double>(face.mesh.points[i].x),
                  static_cast<double>(face.mesh.points[i].y), static_cast<double>(face.mesh.depth[i]));
    std::printf("\n");
  }
  return 0;
}

int run(int argc, char** argv) {
  const bool meshes = argc > 1 && std::strcmp(argv[1], "--meshes") == 0;
  if (argc < 2 || (meshes && argc < 3)) {
    std::fprintf(stderr, "usage: quality [--meshes] <models> [<folder>...]\n");
    return 2;
  }
  const std::string models = argv[meshes ? 2 : 1];
  std::string error;
  const std::unique_ptr<Finder> finder = Finder::load(models, error);
  if (finder == nullptr) {
    std::fprintf(stderr, "quality: %s: run make setup\n", error.c_str());
    return 1;
  }
  if (meshes) return print_meshes(*finder, models);
  capture::Settings settings;
  settings.models = models;
  const capture::Pipeline::Loaded loaded = capture::Pipeline::load(settings);
  if (!loaded.pipeline) return 1;
  std::vector<Face> faces;
  const std::vector<std::string> portraits = pictures_below(models + "/portraits", kPortraitStep);
  for (const std::string& file : portraits) {
    Face face;
    face.name = file;
    cv::Mat picture;
    if (decode_picture(read_bytes(file), picture) && finder->find(picture, face))
      faces.push_back(std::move(face));
  }
  std::fprintf(stderr, "quality: %zu portraits\n", faces.size());
  run_times(faces);
  run_share(*loaded.pipeline, portraits);
  for (const Defect& defect : make_defects()) run_defect(*finder, faces, defect);
  run_pass_rates(*loaded.pipeline, "portraits", pictures_below(models + "/portraits", 1));
  for (int i = 2; i < argc; ++i) {
    const std::string name = std::filesystem::path(argv[i]).filename();
    const std::vector<std::string> files = pictures_below(argv[i], 1);
    if (files.empty()) std::fprintf(stderr, "quality: skipped %s: no pictures\n", argv[i]);
    run_pass_rates(*loaded.pipeline, name, files);
  }
  return 0;
}

}  // namespace
}  // namespace visage::bench

int main(int argc, char** argv) {
  return visage::bench::run(argc, argv);
}
