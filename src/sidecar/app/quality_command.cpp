#include "sidecar/app/quality_command.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sidecar/app/wiped.h"
#include "sidecar/http/quality_json.h"
#include "sidecar/quality/profile.h"

namespace visage::sidecar {
namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string models = "models", profile = "iifaa", depth, drawings;
  quality::DepthSettings depth_settings;
  double skew_ms = 0;
  bool json = false;
};

bool read_file(const std::string& path, size_t limit, WipedBytes& out) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = stream ? static_cast<std::streamoff>(stream.tellg()) : -1;
  if (size < 0 || static_cast<size_t>(size) > limit) return false;
  out.resize(static_cast<size_t>(size));
  stream.seekg(0);
  return static_cast<bool>(stream.read(reinterpret_cast<char*>(out.data()), size));
}

// Readable by its owner alone: it shows the person.
bool write_file(const std::string& path, Bytes bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return false;
  bool good = fchmod(file, 0600) == 0;
  while (good && !bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    good = written > 0;
    if (good) bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return close(file) == 0 && good;
}

std::string limit_text(const quality::Limit* limit) {
  if (limit == nullptr) return "";
  char text[64];
  const char* scale = limit->scale == quality::Scale::kScalar ? "q " : "";
  if (limit->high == quality::kNoHigh)
    std::snprintf(text, sizeof text, "%s>= %g", scale, static_cast<double>(limit->low));
  else if (limit->low == quality::kNoLow)
    std::snprintf(text, sizeof text, "%s<= %g", scale, static_cast<double>(limit->high));
  else
    std::snprintf(text, sizeof text, "%s%g to %g", scale, static_cast<double>(limit->low),
                  static_cast<double>(limit->high));
  return text;
}

void print_table(const std::string& file, const capture::Inspection& seen,
                 const quality::Judgement& judgement) {
  std::printf("%s: %s, %d x %d px, face %.0f x %.0f px at (%.0f, %.0f)\n", file.c_str(),
              quality::verdict_name(judgement.verdict).data(), seen.image_width, seen.image_height,
              static_cast<double>(seen.main_face.width), static_cast<double>(seen.main_face.height),
              static_cast<double>(seen.main_face.x), static_cast<double>(seen.main_face.y));
  std::printf("  %-28s %-7s %12s %-11s %7s  %-12s %-13s %s\n", "measure", "clause", "native", "unit",
              "quality", "limit", "status", "method");
  for (const quality::Check& check : judgement.checks) {
    const quality::Definition& d = *check.definition;
    char native[32] = "-", scalar[8] = "-";
    if (check.reading.assessed) {
      std::snprintf(native, sizeof native, "%.4g", static_cast<double>(check.reading.native));
      if (check.reading.scalar != probe::kScalarUndetermined)
        std::snprintf(scalar, sizeof scalar, "%d", check.reading.scalar);
    }
    const std::string_view status =
        check.limit == nullptr && check.reading.assessed ? "-" : quality::verdict_name(check.verdict);
    std::printf("  %-28s %-7s %12s %-11s %7s  %-12s %-13s %s\n", d.name.data(), d.clause.data(), native,
                d.unit.data(), scalar, limit_text(check.limit).c_str(), status.data(), d.method.data());
  }
}

// True when the picture is good.
bool check_file(const capture::Pipeline& pipeline, const Arguments& arguments,
                const quality::Profile& profile, const std::string& file, const WipedBytes& depth) {
  WipedBytes image;
  if (!read_file(file, capture::Limits().max_bytes, image)) {
    std::fprintf(stderr, "visaged: %s: missing, unreadable or too large\n", file.c_str());
    return false;
  }
  capture::InspectRequest request;
  request.image = image;
  request.depth = depth;
  request.depth_settings = arguments.depth_settings;
  if (!arguments.drawings.empty()) request.draw = &profile;
  capture::Inspection seen;
  if (const auto failure = pipeline.inspect(request, seen)) {
    std::fprintf(stderr, "visaged: %s: %s: %s %s\n", file.c_str(), seen.failed_part,
                 capture::title(failure->code).data(), failure->detail.c_str());
    return false;
  }
  const quality::Judgement judgement = quality::judge(seen.readings, profile);
  if (arguments.json)
    std::printf("%s\n", http::render_quality(seen, profile, {}).c_str());
  else
    print_table(file, seen, judgement);
  if (!arguments.drawings.empty()) {
    const auto name = std::filesystem::path(file).filename().replace_extension(".quality.png");
    const std::string out = std::filesystem::path(arguments.drawings) / name;
    if (!write_file(out, seen.drawing)) {
      std::fprintf(stderr, "visaged: cannot write %s\n", out.c_str());
      return false;
    }
  }
  return judgement.verdict == quality::Verdict::kOk;
}

void describe(CLI::App& app, Arguments& a, std::vector<std::string>& profiles) {
  for (const quality::Profile& profile : quality::profiles()) profiles.emplace_back(profile.name);
  app.add_option("files", a.files, "JPEG, PNG or WebP")->required();
  app.add_option("--models", a.models, "directory of the models")->capture_default_str();
  app.add_option("--profile", a.profile)->check(CLI::IsMember(profiles))->capture_default_str();
  app.add_flag("--json", a.json, "one JSON object a picture");
  app.add_option("--draw", a.drawings, "directory for annotated pictures; they show the person")
      ->check(CLI::ExistingDirectory);
  app.add_option("--depth", a.depth, "depth map of the one picture: PNG of 16-bit grey, or raw 16-bit rows");
  app.add_option("--depth-width", a.depth_settings.width, "of a raw map")->check(CLI::PositiveNumber);
  app.add_option("--depth-height", a.depth_settings.height, "of a raw map")->check(CLI::PositiveNumber);
  app.add_option("--depth-unit-mm", a.depth_settings.unit_mm, "millimetres a step")->capture_default_str();
}

}  // namespace

int run_quality_command(int argc, char** argv) {
  constexpr int kMisuse = 2;
  CLI::App app("Quality measures of pictures: ISO/IEC 29794-5 and T/IIFAA 3001.1 7.4.", "visaged quality");
  Arguments arguments;
  std::vector<std::string> names;
  describe(app, arguments, names);
  CLI::Option* skew =
      app.add_option("--depth-skew-ms", arguments.skew_ms, "time of the map less the picture's");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kMisuse;
  }
  if (skew->count() > 0) arguments.depth_settings.skew_ms = arguments.skew_ms;
  WipedBytes depth;
  if (!arguments.depth.empty()) {
    if (arguments.files.size() != 1 || !quality::plausible(arguments.depth_settings)) {
      std::fprintf(stderr, "visaged: --depth goes with one picture and plausible figures\n");
      return kMisuse;
    }
    if (!read_file(arguments.depth, capture::Limits().max_bytes, depth) || depth.empty()) {
      std::fprintf(stderr, "visaged: %s: missing, unreadable or too large\n", arguments.depth.c_str());
      return kMisuse;
    }
  }
  capture::Settings settings;
  settings.models = arguments.models;
  const capture::Pipeline::Loaded loaded = capture::Pipeline::load(settings);
  for (const std::string& line : loaded.missing) std::fprintf(stderr, "visaged: %s\n", line.c_str());
  if (!loaded.pipeline) return kMisuse;
  const quality::Profile& profile = *quality::find_profile(arguments.profile);
  bool all_good = true;
  for (const std::string& file : arguments.files)
    all_good = check_file(*loaded.pipeline, arguments, profile, file, depth) && all_good;
  return all_good ? 0 : 1;
}

}  // namespace visage::sidecar
