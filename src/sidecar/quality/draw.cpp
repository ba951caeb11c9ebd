#include "sidecar/quality/draw.h"

#include <cstdio>
#include <opencv2/imgproc.hpp>

#include "sidecar/capture/png_encode.h"

namespace visage::quality {
namespace {

constexpr int kHeight = 960;  // px of the drawing; pictures are scaled to it
constexpr int kColumn = 560;  // px for the verdicts at the right
const cv::Scalar kWhite(255, 255, 255), kInk(30, 30, 30), kRegion(255, 160, 0), kPoint(0, 220, 220);

cv::Scalar colour_of(Verdict verdict) {
  if (verdict == Verdict::kOk) return {60, 150, 30};
  return verdict == Verdict::kFail ? cv::Scalar(40, 40, 210) : cv::Scalar(130, 130, 130);
}

void write(cv::Mat& canvas, const std::string& text, cv::Point at, cv::Scalar colour, double size = 0.45) {
  cv::putText(canvas, text, at, cv::FONT_HERSHEY_SIMPLEX, size, colour, 1, cv::LINE_AA);
}

void draw_face(const View& view, float scale, cv::Mat& canvas) {
  const auto place = [&](capture::Point p) { return cv::Point(cvRound(p.x * scale), cvRound(p.y * scale)); };
  const capture::Box& box = view.scene.faces.front().box;
  cv::rectangle(canvas, place(box.tl()), place(box.br()), kRegion, 2, cv::LINE_AA);
  for (const capture::Point& p : view.scene.mesh.points) cv::circle(canvas, place(p), 1, kPoint, cv::FILLED);
  for (const auto contour : {left_eye_contour(), right_eye_contour(), outer_lips(), face_outline()}) {
    std::vector<cv::Point> line;
    for (const uint16_t index : contour) line.push_back(place(view.scene.mesh.points[index]));
    cv::polylines(canvas, line, true, kWhite, 1, cv::LINE_AA);
  }
  if (!view.pose.known) return;
  const cv::Scalar axes[] = {{0, 0, 255}, {0, 255, 0}, {255, 0, 0}};
  for (size_t i = 0; i < 3; ++i)
    cv::arrowedLine(canvas, place(view.pose.origin), place(view.pose.origin + 0.6f * view.pose.axes[i]),
                    axes[i], 2, cv::LINE_AA);
}

}  // namespace

void draw(const View& view, const Judgement& judgement, capture::WipedVector<uint8_t>& out) {
  const cv::Mat& picture = view.scene.picture;
  const float scale = static_cast<float>(kHeight) / static_cast<float>(picture.rows);
  const int width = std::clamp(cvRound(static_cast<float>(picture.cols) * scale), 1, 4 * kHeight);
  cv::Mat canvas(kHeight, width + kColumn, CV_8UC3, kWhite);
  cv::Mat left = canvas(cv::Rect(0, 0, width, kHeight));
  cv::resize(picture, left, left.size(), 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  draw_face(view, scale, left);

  int y = 24;
  write(canvas, std::string(verdict_name(judgement.verdict)), {width + 12, y}, colour_of(judgement.verdict),
        0.7);
  for (const Check& check : judgement.checks) {
    if (check.limit == nullptr && !check.reading.assessed) continue;
    y += 19;
    char value[64] = "not assessed";
    if (check.reading.assessed && check.reading.scalar == probe::kScalarUndetermined)
      std::snprintf(value, sizeof value, "%9.3f", static_cast<double>(check.reading.native));
    else if (check.reading.assessed)
      std::snprintf(value, sizeof value, "%9.3f  q %3d", static_cast<double>(check.reading.native),
                    check.reading.scalar);
    const cv::Scalar colour = check.limit == nullptr ? kInk : colour_of(check.verdict);
    write(canvas, std::string(check.definition->name), {width + 12, y}, colour);
    write(canvas, value, {width + 250, y}, colour);
    if (check.limit != nullptr)
      write(canvas, std::string(verdict_name(check.verdict)), {width + 420, y}, colour);
  }
  capture::encode_png(canvas, out);
}

}  // namespace visage::quality
