// Similarity transforms, warping and the alignment that features depend on.
#include "sidecar/capture/geometry.h"

#include <gtest/gtest.h>

#include "pictures.h"
#include "sidecar/capture/feature.h"

namespace visage::capture {
namespace {

void expect_near(Point a, Point b, float tolerance = 1e-3f) {
  EXPECT_NEAR(a.x, b.x, tolerance);
  EXPECT_NEAR(a.y, b.y, tolerance);
}

TEST(Geometry, FitFindsAKnownSimilarity) {
  const Similarity known{0.6f * std::cos(0.4f), 0.6f * std::sin(0.4f), 17, -5};
  const std::array<Point, 5> from = {Point(10, 20), Point(90, 25), Point(50, 60), Point(20, 95),
                                     Point(80, 90)};
  std::array<Point, 5> to;
  for (size_t i = 0; i < 5; ++i) to[i] = known(from[i]);
  const Similarity found = fit_similarity(from, to);
  EXPECT_NEAR(found.a, known.a, 1e-5);
  EXPECT_NEAR(found.b, known.b, 1e-5);
  expect_near({found.tx, found.ty}, {17, -5});
  EXPECT_NEAR(found.scale(), 0.6, 1e-5);
}

TEST(Geometry, FitNeverReflects) {
  const std::array<Point, 3> from = {Point(-1, 0), Point(1, 0), Point(0, 2)};
  const std::array<Point, 3> mirrored = {Point(1, 0), Point(-1, 0), Point(0, 2)};
  const Similarity found = fit_similarity(from, mirrored);
  EXPECT_GE(found.a * found.a + found.b * found.b, 0);  // a determinant of a² + b² cannot be negative
  EXPECT_LT(found.scale(), 1);
}

TEST(Geometry, FitOfOnePointIsIdentity) {
  const std::array<Point, 2> same = {Point(3, 3), Point(3, 3)}, to = {Point(1, 2), Point(5, 6)};
  EXPECT_EQ(fit_similarity(same, to).scale(), 1);
}

TEST(Geometry, InverseUndoes) {
  const Similarity t{1.2f, -0.7f, 30, 4};
  expect_near(t.inverse()(t({12, 34})), {12, 34});
}

TEST(Geometry, SquareTakesItsMiddleToTheMiddle) {
  const Similarity t = Similarity::square({100, 50}, 40, 0, 80);
  expect_near(t({100, 50}), {39.5f, 39.5f});
  EXPECT_NEAR(t.scale(), 2, 1e-6);
  // Turned by 90° clockwise, what lies below the middle comes to its right.
  expect_near(Similarity::square({100, 50}, 40, static_cast<float>(CV_PI / 2), 80)({100, 60}),
              {59.5f, 39.5f});
}

TEST(Geometry, Overlap) {
  EXPECT_FLOAT_EQ(overlap({0, 0, 10, 10}, {0, 0, 10, 10}), 1);
  EXPECT_FLOAT_EQ(overlap({0, 0, 10, 10}, {5, 0, 10, 10}), 50.0f / 150);
  EXPECT_FLOAT_EQ(overlap({0, 0, 10, 10}, {20, 0, 10, 10}), 0);
  EXPECT_FLOAT_EQ(overlap({}, {}), 0);
}

TEST(Geometry, WarpOfIdentityIsTheImage) {
  const cv::Mat image = test::noise(40, 30);
  cv::Mat out;
  warp(image, {}, image.size(), out);
  EXPECT_EQ(cv::norm(image, out, cv::NORM_INF), 0);
}

// Shrinking 8 times must average: a fine checkerboard becomes grey, not a moiré.
TEST(Geometry, WarpAveragesWhenItShrinks) {
  cv::Mat board(400, 400, CV_8UC3), out;
  for (int y = 0; y < board.rows; ++y)
    for (int x = 0; x < board.cols; ++x) board.at<cv::Vec3b>(y, x) = cv::Vec3b::all((x + y) % 2 ? 255 : 0);
  warp(board, Similarity::square({199.5f, 199.5f}, 400, 0, 50), {50, 50}, out);
  for (int y = 5; y < 45; ++y)
    for (int x = 5; x < 45; ++x) EXPECT_NEAR(out.at<cv::Vec3b>(y, x)[0], 127, 2);
}

// The two ways through warp() agree on where things are.
TEST(Geometry, WarpKeepsPositionsWhenItShrinks) {
  cv::Mat image(600, 600, CV_8UC3, cv::Scalar::all(0)), out;
  image(cv::Rect(300, 150, 60, 60)).setTo(cv::Scalar::all(255));
  for (const float side :
       {290.0f, 310.0f, 600.0f, 620.0f}) {  // out is 150: below and above a shrink of 2 and 4
    const Similarity t = Similarity::square({330, 180}, side, 0.1f, 150);
    warp(image, t, {150, 150}, out);
    cv::Mat grey;
    cv::extractChannel(out, grey, 0);
    double sum = 0, x_sum = 0, y_sum = 0;
    for (int y = 0; y < 150; ++y)
      for (int x = 0; x < 150; ++x) {
        const double v = grey.at<uint8_t>(y, x);
        sum += v;
        x_sum += v * x;
        y_sum += v * y;
      }
    expect_near(t({329.5f, 179.5f}), {static_cast<float>(x_sum / sum), static_cast<float>(y_sum / sum)},
                0.1f);
  }
}

TEST(Geometry, AlignmentPutsPointsOntoTheTemplate) {
  const FivePoints level{{38.2946f, 51.6963f},
                         {73.5318f, 51.5014f},
                         {56.0252f, 71.7366f},
                         {41.5493f, 92.3655f},
                         {70.7299f, 92.2041f}};
  const Similarity turned{2 * std::cos(0.3f), 2 * std::sin(0.3f), 300, 200};
  FivePoints seen{turned(level.left_eye), turned(level.right_eye), turned(level.nose),
                  turned(level.left_mouth), turned(level.right_mouth)};
  const Similarity t = align(seen);
  for (size_t i = 0; i < 5; ++i) expect_near(t(seen.list()[i]), level.list()[i], 0.01f);
}

}  // namespace
}  // namespace visage::capture
