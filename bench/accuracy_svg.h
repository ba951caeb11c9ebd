// Just enough SVG for a chart: panels with axes, curves, marks and a legend. Lengths are pixels.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace visage::bench {

struct Axis {
  double low, high;
  std::string label;
  std::vector<std::pair<double, std::string>> ticks;  // value and text

  static Axis logarithmic(int low_decade, int high_decade, std::string label);
  static Axis linear(double low, double high, double step, std::string label);
  double share(double value) const;  // 0 at low, 1 at high; clamped

  bool is_logarithmic = false;
};

struct Box {
  double left, top, width, height;
};

struct Pen {
  std::string color;
  double width = 2;
  std::string dash = {};  // as in stroke-dasharray; empty: solid
  double fill = 0;        // opacity of the area down to the axis
};

using Points = std::vector<std::pair<double, double>>;

class Svg {
 public:
  Svg(int width, int height, const std::string& title);

  void text(double x, double y, const std::string& text, const std::string& style = {});
  void line(double x1, double y1, double x2, double y2, const Pen& pen);
  void circle(double x, double y, double radius, const Pen& pen);
  void path(const std::string& commands, const Pen& pen);
  bool save(const std::string& path) const;

 private:
  std::string body_;
};

// A plot area; draws its grid and axes when it is made.
class Panel {
 public:
  Panel(Svg& svg, Box box, Axis x, Axis y);

  void curve(const Points& points, const Pen& pen);
  void mark(double x, double y, const Pen& pen);
  // A vertical line at x with a text at its upper end, which is `row` lines of text down: with rows in the
  // order of x no line crosses the text of another.
  void vertical(double x, const std::string& label, int row, const Pen& pen);
  // From the upper right corner down, with room for texts of `width`.
  void legend(const std::vector<std::pair<std::string, Pen>>& entries, double width);

 private:
  double at_x(double value) const { return box_.left + box_.width * x_.share(value); }
  double at_y(double value) const { return box_.top + box_.height * (1 - y_.share(value)); }

  Svg& svg_;
  Box box_;
  Axis x_, y_;
};

}  // namespace visage::bench
