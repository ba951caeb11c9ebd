#include "liveness_cache.h"

#include <fstream>
#include <sstream>

namespace visage::bench {
namespace {

// "unit o metric method verdict reason value n name value … end"
std::string to_line(const std::string& unit, const Sheet& sheet) {
  std::string line = unit;
  char text[64];
  for (const auto& [metric, outcome] : sheet.outcomes) {
    std::snprintf(text, sizeof text, " %d %d %d %.9g", static_cast<int>(outcome.method),
                  static_cast<int>(outcome.verdict), static_cast<int>(outcome.reason),
                  static_cast<double>(outcome.value));
    line += " o " + metric + text;
  }
  for (const auto& [name, value] : sheet.numbers) {
    std::snprintf(text, sizeof text, " %.9g", static_cast<double>(value));
    line += " n " + name + text;
  }
  return line + " end";
}

// False for a line that was cut off.
bool from_line(const std::string& line, std::string& unit, Sheet& out) {
  std::istringstream in(line);
  std::string kind, name;
  if (!(in >> unit)) return false;
  while (in >> kind && kind != "end") {
    int method = 0, verdict = 0, reason = 0;
    float value = 0;
    if (!(in >> name)) return false;
    if (kind == "o") in >> method >> verdict >> reason;
    if (!(in >> value)) return false;
    if (kind == "o")
      out.outcomes.emplace_back(name, liveness::Outcome{static_cast<liveness::Method>(method),
                                                        static_cast<liveness::Verdict>(verdict),
                                                        static_cast<liveness::Reason>(reason), value});
    else
      out.numbers.emplace_back(name, value);
  }
  return kind == "end";
}

}  // namespace

SheetCache::SheetCache(const std::string& path, const std::string& digest) {
  std::string line;
  bool same = false;
  if (std::ifstream in(path); std::getline(in, line) && line == digest) {
    same = true;
    for (std::string unit; std::getline(in, line);)
      if (Sheet sheet; from_line(line, unit, sheet)) earlier_[unit] = std::move(sheet);
  }
  file_ = std::fopen(path.c_str(), same ? "a" : "w");
  if (file_ != nullptr && !same) std::fputs(digest.c_str(), file_);
}

SheetCache::~SheetCache() {
  if (file_ != nullptr) std::fclose(file_);
}

bool SheetCache::find(const std::string& unit, Sheet& out) const {
  const auto found = earlier_.find(unit);
  if (found == earlier_.end()) return false;
  out = found->second;
  return true;
}

void SheetCache::keep(const std::string& unit, const Sheet& sheet) {
  const std::lock_guard lock(mutex_);
  if (file_ == nullptr) return;
  // The break comes first: a line that was cut off stays one by itself.
  std::fprintf(file_, "\n%s", to_line(unit, sheet).c_str());
  std::fflush(file_);
}

}  // namespace visage::bench
