#include "liveness_made.h"

#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace visage::bench {

using capture::Point;

cv::Mat turn_flat(const cv::Mat& picture, float yaw, float pitch) {
  const float w = static_cast<float>(picture.cols), h = static_cast<float>(picture.rows), focal = 1.5f * w;
  const float r = static_cast<float>(M_PI / 180);
  std::vector<Point> from, to;
  for (const Point p : {Point(0, 0), Point(w, 0), Point(w, h), Point(0, h)}) {
    const float x = p.x - w / 2, y = p.y - h / 2;
    const float z = x * std::sin(yaw * r) + y * std::sin(pitch * r), scale = focal / (focal + z);
    from.push_back(p);
    to.emplace_back(w / 2 + scale * x * std::cos(yaw * r), h / 2 + scale * y * std::cos(pitch * r));
  }
  cv::Mat out;
  cv::warpPerspective(picture, out, cv::getPerspectiveTransform(from, to), picture.size(), cv::INTER_LINEAR,
                      cv::BORDER_CONSTANT, {110, 110, 110});
  return out;
}

std::vector<uint8_t> encode(const cv::Mat& picture, int quality) {
  std::vector<uint8_t> bytes;
  cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  return bytes;
}

std::vector<uint8_t> shoot(const cv::Mat& scene, Random& random, float noise) {
  const cv::Matx23f hand(1, 0, uniform(random, -1.5f, 1.5f), 0, 1, uniform(random, -1.5f, 1.5f));
  cv::Mat moved, grain(scene.size(), CV_32FC3), out;
  cv::warpAffine(scene, moved, hand, scene.size(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  moved.convertTo(moved, CV_32FC3, static_cast<double>(uniform(random, 0.995f, 1.005f)));
  cv::RNG generator(random());
  generator.fill(grain, cv::RNG::NORMAL, 0, noise);
  moved += grain;
  moved.convertTo(out, CV_8UC3);
  return encode(out, 92);
}

cv::Mat printed(const cv::Mat& picture, Random& random) {
  cv::Mat out;
  picture.convertTo(out, CV_32FC3);
  const float period = uniform(random, 3.5f, 7), angle = uniform(random, 0.2f, 1.3f),
              depth = uniform(random, 0.06f, 0.15f);
  const float k = static_cast<float>(2 * M_PI) / period, c = k * std::cos(angle), s = k * std::sin(angle);
  const cv::Vec3f cast(uniform(random, 0.78f, 0.9f), uniform(random, 0.85f, 0.95f),
                       uniform(random, 0.92f, 1));
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x) {
      const float u = c * static_cast<float>(x) + s * static_cast<float>(y),
                  v = c * static_cast<float>(y) - s * static_cast<float>(x);
      const float dot = 1 + depth * (std::cos(u) + std::cos(v)) / 2;
      auto& pixel = out.at<cv::Vec3f>(y, x);
      for (int i = 0; i < 3; ++i) pixel[i] = (35 + 0.72f * pixel[i]) * cast[i] * dot;
    }
  out.convertTo(out, CV_8UC3);
  return out;
}

cv::Mat on_screen(const cv::Mat& picture, Random& random) {
  cv::Mat out;
  picture.convertTo(out, CV_32FC3, 1 / 255.0);
  cv::pow(out, static_cast<double>(uniform(random, 1.1f, 1.4f)), out);
  const float period = uniform(random, 2.6f, 9), angle = uniform(random, 0.08f, 0.7f),
              depth = uniform(random, 0.05f, 0.15f);
  const float k = static_cast<float>(2 * M_PI) / period, c = k * std::cos(angle), s = k * std::sin(angle);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x)
      for (int i = 0; i < 3; ++i)
        // Red, green and blue stripes stand side by side.
        out.at<cv::Vec3f>(y, x)[i] *=
            1 + depth * std::cos(c * static_cast<float>(x) + s * static_cast<float>(y) +
                                 2.1f * static_cast<float>(i));
  out.convertTo(out, CV_8UC3, 260);
  return out;
}

cv::Mat cut_out(const cv::Mat& picture, const capture::Mesh& mesh, Random& random) {
  std::vector<Point> hull;
  cv::convexHull(std::vector<Point>(mesh.points.begin(), mesh.points.end()), hull);
  std::vector<cv::Point> rounded(hull.begin(), hull.end());
  cv::Mat mask = cv::Mat::zeros(picture.size(), CV_8U);
  cv::fillConvexPoly(mask, rounded, 255);
  cv::dilate(mask, mask, cv::getStructuringElement(cv::MORPH_ELLIPSE, {41, 41}));
  cv::Mat out(
      picture.size(), CV_8UC3,
      cv::Scalar(static_cast<double>(uniform(random, 60, 220)), static_cast<double>(uniform(random, 60, 220)),
                 static_cast<double>(uniform(random, 60, 220))));
  printed(picture, random).copyTo(out, mask);
  return out;
}

}  // namespace visage::bench
