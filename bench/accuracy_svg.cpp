#include "accuracy_svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "accuracy_format.h"

namespace visage::bench {
namespace {

constexpr double kTextHeight = 16;
const Pen kGrid{.color = "#e3e3e3", .width = 1};
const Pen kFrame{.color = "#555", .width = 1};

std::string stroke(const Pen& pen) {
  return "stroke=\"" + pen.color + "\"" + format(" stroke-width=\"%.1f\"", pen.width) +
         (pen.dash.empty() ? "" : " stroke-dasharray=\"" + pen.dash + "\"");
}

}  // namespace

Axis Axis::logarithmic(int low_decade, int high_decade, std::string label) {
  Axis axis{std::pow(10, low_decade), std::pow(10, high_decade), std::move(label), {}};
  axis.is_logarithmic = true;
  for (int decade = low_decade; decade <= high_decade; ++decade)
    axis.ticks.emplace_back(std::pow(10, decade), decade == 0    ? "1"
                                                  : decade == -1 ? "0.1"
                                                  : decade == -2 ? "0.01"
                                                                 : format("1e%d", decade));
  return axis;
}

Axis Axis::linear(double low, double high, double step, std::string label) {
  Axis axis{low, high, std::move(label), {}};
  for (double value = low; value <= high + step / 2; value += step)
    axis.ticks.emplace_back(value, format("%.1f", std::abs(value) < step / 2 ? 0 : value));
  return axis;
}

double Axis::share(double value) const {
  const double share = is_logarithmic ? std::log(std::max(value, low / 10) / low) / std::log(high / low)
                                      : (value - low) / (high - low);
  return std::clamp(share, 0.0, 1.0);
}

Svg::Svg(int width, int height, const std::string& title) {
  body_ = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
      "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
      width, height, width, height, width, height);
  text(20, 28, title, "font-size=\"17\" font-weight=\"bold\"");
}

void Svg::text(double x, double y, const std::string& text, const std::string& style) {
  body_ += format("<text x=\"%.1f\" y=\"%.1f\" fill=\"#222\" ", x, y) + style + ">" + text + "</text>\n";
}

void Svg::line(double x1, double y1, double x2, double y2, const Pen& pen) {
  body_ +=
      format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" ", x1, y1, x2, y2) + stroke(pen) + "/>\n";
}

void Svg::circle(double x, double y, double radius, const Pen& pen) {
  body_ += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"#fff\" ", x, y, radius) + stroke(pen) +
           "/>\n";
}

void Svg::path(const std::string& commands, const Pen& pen) {
  const std::string fill = pen.fill > 0
                               ? "fill=\"" + pen.color + "\"" + format(" fill-opacity=\"%.2f\" ", pen.fill)
                               : "fill=\"none\" ";
  body_ += "<path d=\"" + commands + "\" " + fill + stroke(pen) + "/>\n";
}

bool Svg::save(const std::string& path) const {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  if (!file || std::fputs((body_ + "</svg>\n").c_str(), file.get()) < 0) {
    std::fprintf(stderr, "cannot write %s\n", path.c_str());
    return false;
  }
  std::fprintf(stderr, "%s\n", path.c_str());
  return true;
}

Panel::Panel(Svg& svg, Box box, Axis x, Axis y) : svg_(svg), box_(box), x_(std::move(x)), y_(std::move(y)) {
  const double bottom = box.top + box.height, right = box.left + box.width;
  for (const auto& [value, text] : x_.ticks) {
    svg.line(at_x(value), box.top, at_x(value), bottom, kGrid);
    svg.text(at_x(value), bottom + kTextHeight + 2, text, "text-anchor=\"middle\"");
  }
  for (const auto& [value, text] : y_.ticks) {
    svg.line(box.left, at_y(value), right, at_y(value), kGrid);
    svg.text(box.left - 8, at_y(value) + 4, text, "text-anchor=\"end\"");
  }
  svg.path(format("M%.1f %.1fV%.1fH%.1f", box.left, box.top, bottom, right), kFrame);
  svg.text(box.left + box.width / 2, bottom + 2.5 * kTextHeight, x_.label, "text-anchor=\"middle\"");
  const double middle = box.top + box.height / 2;
  svg.text(box.left - 50, middle, y_.label,
           format("text-anchor=\"middle\" transform=\"rotate(-90 %.1f %.1f)\"", box.left - 50, middle));
}

void Panel::curve(const Points& points, const Pen& pen) {
  if (points.empty()) return;
  std::string commands;
  for (const auto& [x, y] : points)
    commands += format("%s%.1f %.1f", commands.empty() ? "M" : "L", at_x(x), at_y(y));
  if (pen.fill > 0) commands += format("V%.1fH%.1fZ", box_.top + box_.height, at_x(points.front().first));
  svg_.path(commands, pen);
}

void Panel::mark(double x, double y, const Pen& pen) {
  svg_.circle(at_x(x), at_y(y), 4, {.color = pen.color, .width = 2});
}

void Panel::vertical(double x, const std::string& label, int row, const Pen& pen) {
  const double top = box_.top + kTextHeight * row + 4;
  svg_.line(at_x(x), top, at_x(x), box_.top + box_.height, pen);
  svg_.text(at_x(x) + 5, top + kTextHeight - 4, label);
}

void Panel::legend(const std::vector<std::pair<std::string, Pen>>& entries, double width) {
  const double left = box_.left + box_.width - width;
  double y = box_.top + kTextHeight;
  for (const auto& [name, pen] : entries) {
    if (pen.width > 0)
      svg_.line(left, y - 4, left + 28, y - 4, pen);
    else
      svg_.circle(left + 14, y - 4, 4, {.color = pen.color, .width = 2});
    svg_.text(left + 36, y, name);
    y += kTextHeight + 3;
  }
}

}  // namespace visage::bench
