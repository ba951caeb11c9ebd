// Defects made by code, each in steps from none to strong, with the measure that has to follow.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "quality_faces.h"

namespace visage::bench {

struct Damaged {
  cv::Mat picture;
  std::vector<uint8_t> file;  // when the defect is one of the file
  std::optional<quality::DepthFrame> depth{};
};

enum class Follows { kRises, kFalls };

struct Defect {
  const char* name;
  std::vector<double> levels;
  std::function<Damaged(const Face&, double)> make;
  struct Measured {
    probe::Measure measure;
    Follows follows;  // the native value with its sign
  };
  std::vector<Measured> measured;
};

std::vector<Defect> make_defects();

}  // namespace visage::bench
