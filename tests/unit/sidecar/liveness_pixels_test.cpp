// What is read from a frame's pixels.   [6.1.2c, 6.1.2e]
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "liveness_faces.h"
#include "sidecar/liveness/depth_points.h"
#include "sidecar/liveness/injection.h"
#include "sidecar/liveness/pixels.h"

namespace visage::liveness {
namespace {

// Skin-coloured, softly shaded, with a camera's noise.
cv::Mat scene(unsigned seed, float noise = 2.5f) {
  cv::Mat out(480, 640, CV_32FC3);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x) {
      const float shade = 0.8f + 0.2f * std::cos(static_cast<float>(x - 320) / 200) *
                                     std::cos(static_cast<float>(y - 240) / 200);
      out.at<cv::Vec3f>(y, x) = cv::Vec3f(120, 150, 190) * shade;
    }
  cv::Mat grain(out.size(), CV_32FC3);
  cv::RNG(seed).fill(grain, cv::RNG::NORMAL, 0, noise);
  out += grain;
  out.convertTo(out, CV_8UC3);
  return out;
}

Observation seen(const cv::Mat& picture, int64_t time = 0) {
  Observation out = test::make_face({}, time);
  out.grain.clear();
  look_at_pixels(picture, out);
  return out;
}

TEST(Pixels, NoiseOfAnotherFrameIsOther) {
  const Observation a = seen(scene(1)), again = seen(scene(1)), b = seen(scene(2));
  EXPECT_EQ(a.pixels, again.pixels);
  EXPECT_NE(a.pixels, b.pixels);
  EXPECT_GT(compare_grain(a, again).correlation, 0.99f);
  ASSERT_GT(compare_grain(a, b).pixels, 400);
  EXPECT_LT(std::abs(compare_grain(a, b).correlation), 0.2f);
  EXPECT_EQ(compare_grain(seen(scene(1, 0)), seen(scene(2, 0))).pixels, 0) << "no noise, nothing to compare";
}

TEST(Pixels, PeriodicDotsStandOut) {
  const float plain = seen(scene(1)).peaks;
  for (const float period : {3.0f, 4.5f, 6.5f}) {
    cv::Mat dots = scene(1);
    for (int y = 0; y < dots.rows; ++y)
      for (int x = 0; x < dots.cols; ++x) {
        const float u = (0.9f * static_cast<float>(x) + 0.43f * static_cast<float>(y)) * 6.2832f / period;
        dots.at<cv::Vec3b>(y, x) *= 1 + 0.05 * std::cos(static_cast<double>(u));
      }
    EXPECT_GT(seen(dots).peaks, 3 * plain) << period;
  }
}

TEST(Pixels, ColoursAreLinearLight) {
  const cv::Mat grey(480, 640, CV_8UC3, cv::Scalar(188, 188, 188));
  const Observation out = seen(grey);
  EXPECT_NEAR(out.skin.r, 0.5f, 0.005f);
  EXPECT_NEAR(out.background.b, 0.5f, 0.005f);
}

// Light on what is nearly black shows as less than it is, and a lit print before it would look like a lit
// face.
TEST(Pixels, ABackgroundThatIsNearlyBlackIsNone) {
  const auto background = [](double level) {
    return seen(cv::Mat(480, 640, CV_8UC3, cv::Scalar::all(level))).background;
  };
  EXPECT_EQ(background(25).r, 0);
  EXPECT_NEAR(background(60).r, 0.0452f, 0.0005f);
}

TEST(Pixels, AFaceAtTheEdgeIsNoReasonToCrash) {
  Observation out = test::make_face({}, 0);
  out.grain.clear();
  for (capture::Point& p : out.mesh.points) p -= capture::Point(400, 300);
  look_at_pixels(scene(1), out);
  EXPECT_TRUE(out.grain.empty());
  EXPECT_EQ(out.peaks, 0);
}

TEST(DepthPoints, MillimetresAndHoles) {
  const Observation face = test::make_face({}, 0);
  quality::DepthFrame depth;
  depth.settings.fx = depth.settings.fy = 500;
  depth.settings.cx = 320;
  depth.settings.cy = 240;
  depth.steps = cv::Mat(480, 640, CV_16U, cv::Scalar(500));
  // Of the made mesh only some points are set; the others lie in the corner and would stretch the outline.
  capture::Mesh mesh = face.mesh;
  for (capture::Point& p : mesh.points)
    if (p == capture::Point(0, 0)) p = {320, 240};
  const DepthFace whole = depth_face(depth, {640, 480}, mesh);
  ASSERT_GT(whole.surface.size(), 200u);
  EXPECT_TRUE(whole.metric);
  EXPECT_EQ(whole.nose.z(), 500);
  // 100 px between the outer corners of the eyes, at 500 mm with a focal length of 500 px.
  EXPECT_NEAR(whole.cheeks[1].x() - whole.cheeks[0].x(), mesh.points[280].x - mesh.points[50].x, 0.1f);
  EXPECT_EQ(judge_depth(measure_relief(whole), true).reason, Reason::kUniformDepth);
  depth.steps.setTo(0);
  const DepthFace none = depth_face(depth, {640, 480}, mesh);
  EXPECT_TRUE(none.surface.empty());
  EXPECT_EQ(judge_depth(measure_relief(none), true).verdict, Verdict::kUndetermined);
  depth.settings.fx = depth.settings.fy = 0;
  EXPECT_FALSE(depth_face(depth, {640, 480}, mesh).metric);
}

}  // namespace
}  // namespace visage::liveness
