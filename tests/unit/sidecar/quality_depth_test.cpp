// The depth map: its reader and its measures.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "pictures.h"
#include "quality_face.h"
#include "sidecar/quality/depth_view.h"

namespace visage::quality {
namespace {

using capture::FailureCode;
using probe::Measure;
using test::MadeFace;

MadeFace with_depth() {
  MadeFace face;
  face.make_depth({640, 640});
  return face;
}

std::optional<FailureCode> read(Bytes bytes, const DepthSettings& settings, DepthFrame& out) {
  const auto failure = read_depth(bytes, settings, {}, out);
  return failure ? std::optional(failure->code) : std::nullopt;
}

TEST(QualityDepth, PngKeepsAllSixteenBits) {  // [6.1.3d]
  const cv::Mat steps = capture::test::noise(100, 80, CV_16U);
  DepthFrame frame;
  ASSERT_FALSE(read(capture::test::encode(steps, ".png"), {}, frame));
  ASSERT_EQ(frame.steps.type(), CV_16U);
  EXPECT_EQ(cv::norm(frame.steps, steps, cv::NORM_INF), 0);
}

TEST(QualityDepth, RawIsLittleEndian) {  // [6.1.3d]
  std::vector<uint8_t> raw(2 * 64 * 50);
  raw[2 * (64 * 3 + 5)] = 0x34;
  raw[2 * (64 * 3 + 5) + 1] = 0x12;
  DepthFrame frame;
  ASSERT_FALSE(read(raw, {.width = 64, .height = 50, .unit_mm = 0.5f}, frame));
  EXPECT_EQ(frame.steps.at<uint16_t>(3, 5), 0x1234);
  EXPECT_EQ(frame.millimetres(5, 3), 0x1234 * 0.5f);
  EXPECT_EQ(cv::countNonZero(frame.steps), 1);
}

TEST(QualityDepth, WrongFilesAreRefused) {
  DepthFrame frame;
  const std::vector<uint8_t> raw(2 * 64 * 50),
      whole = capture::test::encode(capture::test::noise(100, 80, CV_16U), ".png");
  EXPECT_EQ(read(raw, {}, frame), FailureCode::kUnsupportedFormat);
  EXPECT_EQ(read(raw, {.width = 64, .height = 51}, frame), FailureCode::kUnreadableImage);
  EXPECT_EQ(read(raw, {.width = 50, .height = 64}, frame), std::nullopt);
  EXPECT_EQ(read(raw, {.width = 4, .height = 800}, frame), FailureCode::kImageTooSmall);
  EXPECT_EQ(read(raw, {.width = 2000000, .height = 2000000}, frame), FailureCode::kImageTooLarge);
  EXPECT_EQ(read(capture::test::png_claiming(20000, 20000), {}, frame), FailureCode::kUnsupportedFormat);
  EXPECT_EQ(read(capture::test::encode(capture::test::noise(100, 80), ".png"), {}, frame),
            FailureCode::kUnsupportedFormat);
  EXPECT_EQ(read(capture::test::encode(capture::test::noise(100, 80, CV_8U), ".png"), {}, frame),
            FailureCode::kUnsupportedFormat);
  EXPECT_EQ(read(capture::test::encode(capture::test::noise(100, 80, CV_16UC3), ".png"), {}, frame),
            FailureCode::kUnsupportedFormat);
  EXPECT_EQ(read(whole, {.width = 101, .height = 80}, frame), FailureCode::kUnreadableImage);
  EXPECT_EQ(read(Bytes(whole).first(whole.size() / 2), {}, frame), FailureCode::kUnreadableImage);
  EXPECT_EQ(read({}, {}, frame), FailureCode::kUnsupportedFormat);
}

TEST(QualityDepth, FiguresMustMakeSense) {
  EXPECT_TRUE(plausible({}));
  EXPECT_TRUE(plausible({.width = 640,
                         .height = 400,
                         .unit_mm = 0.1f,
                         .fx = 500,
                         .fy = 500,
                         .cx = 320,
                         .cy = 200,
                         .skew_ms = -12}));
  EXPECT_FALSE(plausible({.unit_mm = 0}));
  EXPECT_FALSE(plausible({.unit_mm = NAN}));
  EXPECT_FALSE(plausible({.unit_mm = 1000}));
  EXPECT_FALSE(plausible({.fx = 500}));
  EXPECT_FALSE(plausible({.fx = -1, .fy = -1}));
  EXPECT_FALSE(plausible({.skew_ms = NAN}));
  EXPECT_FALSE(plausible({.width = -1}));
}

TEST(QualityDepth, AGoodMapIsGood) {  // [6.1.3d] [7.5h]
  const MadeFace face = with_depth();
  EXPECT_EQ(face.read(Measure::kDepthWidth).native, 640);
  EXPECT_EQ(face.read(Measure::kDepthCompleteness).native, 1);
  EXPECT_EQ(face.read(Measure::kDepthFeatureCompleteness).native, 1);
  EXPECT_EQ(face.read(Measure::kDepthHoles).native, 0);
  EXPECT_LT(face.read(Measure::kDepthOutliers).native, 0.002f);
  EXPECT_LT(face.read(Measure::kDepthNoise).native, 1);
  const float relief = face.read(Measure::kDepthRelief).native;
  EXPECT_GT(relief, 15);
  EXPECT_LT(relief, 60);
  EXPECT_FALSE(face.read(Measure::kDepthSkew).assessed);
}

TEST(QualityDepth, WithoutAMapNothingIsSaid) {
  const MadeFace face;
  for (size_t i = 0; i < kMeasures; ++i)
    if (definitions()[i].name.starts_with("Depth")) {
      EXPECT_FALSE(functions()[i](face.view()).assessed);
    }
}

TEST(QualityDepth, CompletenessIsAShare) {  // [7.5h]
  MadeFace face = with_depth();
  face.depth.steps.rowRange(0, 160).setTo(0);  // above the features
  EXPECT_FLOAT_EQ(face.read(Measure::kDepthCompleteness).native, 0.75f);
  EXPECT_EQ(face.read(Measure::kDepthFeatureCompleteness).native, 1);
  MadeFace blind = with_depth();
  blind.depth.steps.setTo(0, depth_features(blind.view()));
  EXPECT_EQ(blind.read(Measure::kDepthFeatureCompleteness).native, 0);
  EXPECT_FALSE(blind.read(Measure::kDepthRelief).assessed);
}

TEST(QualityDepth, HolesByTheLargest) {  // [6.1.3d]
  float before = 0;
  for (const int radius : {3, 8, 20, 40}) {
    MadeFace face = with_depth();
    cv::circle(face.depth.steps, {300, 360}, radius, 0, cv::FILLED);
    const float share = face.read(Measure::kDepthHoles).native;
    EXPECT_GT(share, before);
    before = share;
  }
  // Many single pixels are no hole, and a hole beside the face is none in it.
  MadeFace face = with_depth();
  for (int y = 200; y < 440; y += 4)
    for (int x = 200; x < 440; x += 4) face.depth.steps.at<uint16_t>(y, x) = 0;
  EXPECT_LT(face.read(Measure::kDepthHoles).native, 1e-3);
  MadeFace beside = with_depth();
  beside.depth.steps.colRange(0, 100).setTo(0);
  EXPECT_EQ(beside.read(Measure::kDepthHoles).native, 0);
}

TEST(QualityDepth, OutliersByTheirNumber) {  // [6.1.3d]
  float before = with_depth().read(Measure::kDepthOutliers).native;
  for (const int step : {12, 8, 5}) {
    MadeFace face = with_depth();
    for (int y = 200; y < 440; y += step)
      for (int x = 200; x < 440; x += step) face.depth.steps.at<uint16_t>(y, x) += 60;
    const float share = face.read(Measure::kDepthOutliers).native;
    EXPECT_NEAR(share, 1.0 / (step * step), 0.3 / (step * step)) << step;
    EXPECT_GT(share, before);
    before = share;
  }
}

TEST(QualityDepth, NoiseIsItsStandardDeviation) {  // [7.5h]
  for (const double sigma : {2.0, 4.0, 8.0}) {
    MadeFace face = with_depth();
    face.depth.settings.unit_mm = 1;
    cv::RNG random(11);
    for (int y = 0; y < 640; ++y)
      for (int x = 0; x < 640; ++x)
        face.depth.steps.at<uint16_t>(y, x) =
            cv::saturate_cast<uint16_t>(face.depth.steps.at<uint16_t>(y, x) + random.gaussian(sigma));
    EXPECT_NEAR(face.read(Measure::kDepthNoise).native, sigma, 0.15 * sigma);
    face.depth.settings.unit_mm = 0.25f;
    EXPECT_NEAR(face.read(Measure::kDepthNoise).native, 0.25 * sigma, 0.15 * 0.25 * sigma);
  }
}

TEST(QualityDepth, FlatAndHollowThingsHaveNoRelief) {  // [6.1.3d]
  MadeFace flat = with_depth();
  flat.depth.steps.setTo(500);
  EXPECT_EQ(flat.read(Measure::kDepthRelief).native, 0);
  MadeFace tilted = with_depth();
  for (int x = 0; x < 640; ++x) tilted.depth.steps.col(x).setTo(400 + x / 4);
  EXPECT_NEAR(tilted.read(Measure::kDepthRelief).native, 0, 2);
  MadeFace hollow = with_depth();
  hollow.depth.steps = 1000 - hollow.depth.steps;
  EXPECT_LT(hollow.read(Measure::kDepthRelief).native, -15);
  EXPECT_EQ(hollow.read(Measure::kDepthRelief).scalar, 0);
}

TEST(QualityDepth, MapsOfAnotherSizeFit) {
  MadeFace small;
  small.make_depth({320, 320});
  EXPECT_EQ(small.read(Measure::kDepthFeatureCompleteness).native, 1);
  EXPECT_NEAR(small.read(Measure::kDepthRelief).native, with_depth().read(Measure::kDepthRelief).native, 4);
}

TEST(QualityDepth, SkewIsASize) {  // [7.5g]
  MadeFace face = with_depth();
  face.depth.settings.skew_ms = -40;
  EXPECT_EQ(face.read(Measure::kDepthSkew).native, 40);
}

}  // namespace
}  // namespace visage::quality
