#include "liveness_made.h"

#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace visage::bench {
namespace {

using capture::Point;

float uniform(Random& random, float low, float high) {
  return std::uniform_real_distribution<float>(low, high)(random);
}

}  // namespace

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

quality::DepthFrame make_depth(Shape shape, cv::Size size, const capture::Mesh& mesh, Random& random) {
  const capture::FivePoints five = capture::five_points(mesh);
  const float eyes = capture::distance(five.left_eye, five.right_eye);
  const float distance = uniform(random, 350, 600), millimetre = 62 * uniform(random, 0.9f, 1.1f) / eyes;
  const Point eye_middle = (five.left_eye + five.right_eye) / 2,
              mouth = (five.left_mouth + five.right_mouth) / 2;
  const Point middle = 0.5f * eye_middle + 0.5f * mouth;
  const Point shift = shape == Shape::kElsewhere
                          ? Point(uniform(random, 0.7f, 1.2f) * eyes, uniform(random, -0.6f, 0.6f) * eyes)
                          : Point(0, 0);
  const Point tip = (five.nose - middle) * millimetre;
  const float wide = uniform(random, 70, 84), high = uniform(random, 100, 120),
              deep = uniform(random, 80, 105);
  const float out_of_face = uniform(random, 16, 24), tilt_x = uniform(random, -0.35f, 0.35f),
              tilt_y = uniform(random, -0.2f, 0.2f);
  const float radius = uniform(random, 75, 300), angle = uniform(random, 0, static_cast<float>(M_PI)),
              slope = uniform(random, 0.3f, 1);
  const float noise = uniform(random, 0.3f, 2.5f);
  std::normal_distribution<float> normal(0, noise);
  quality::DepthFrame out;
  out.settings.fx = out.settings.fy = distance / millimetre;
  out.settings.cx = static_cast<float>(size.width) / 2;
  out.settings.cy = static_cast<float>(size.height) / 2;
  out.steps.create(size, CV_16U);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const Point p = (Point(static_cast<float>(x), static_cast<float>(y)) - middle - shift) * millimetre;
      const float u = std::cos(angle) * p.x + std::sin(angle) * p.y;
      const float r = p.x * p.x / (wide * wide) + p.y * p.y / (high * high);
      const float body = r < 1 ? deep * (1 - std::sqrt(1 - r)) : 800;
      const Point q = p - tip;
      const float nose = out_of_face * std::exp(-(q.x * q.x / 160 + q.y * q.y / (q.y < 0 ? 700.0f : 160.0f)));
      float z = 0;
      switch (shape) {
        case Shape::kHead:
        case Shape::kElsewhere:
          z = body - nose + tilt_x * p.x + tilt_y * p.y;
          break;
        case Shape::kPlane:
          z = 1.5f * tilt_x * p.x + 1.5f * tilt_y * p.y;
          break;
        case Shape::kBent:
          z = std::abs(u) < radius ? radius - std::sqrt(radius * radius - u * u) : 800;
          break;
        case Shape::kFolded:
          z = slope * std::abs(u);
          break;
        case Shape::kHollow:
          z = r < 1 ? nose - body : 800;
          break;
        case Shape::kUniform:
          z = 0;
          break;
        case Shape::kSmooth:
          z = body;
          break;
      }
      const float measured = distance + std::min(z, 800.0f) + (shape == Shape::kUniform ? 0 : normal(random));
      out.steps.at<uint16_t>(y, x) = shape != Shape::kUniform && random() % 50 == 0
                                         ? 0
                                         : static_cast<uint16_t>(std::max(1.0f, std::round(measured)));
    }
  return out;
}

}  // namespace visage::bench
