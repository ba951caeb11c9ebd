// Measures of light and colour, exact on plain pictures.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "quality_face.h"
#include "sidecar/quality/colour.h"

namespace visage::quality {
namespace {

using probe::Measure;
using test::MadeFace;

MadeFace grey(double level) {
  return MadeFace({640, 640}, cv::Scalar::all(level));
}

// One level left of the face's middle, another right of it.
MadeFace halves(double left, double right) {
  MadeFace face = grey(right);
  face.picture.colRange(0, 320).setTo(cv::Scalar::all(left));
  return face;
}

double luminance_of(int level) {
  return std::floor(255 * linear(static_cast<uint8_t>(level)) + 0.5) / 255;
}

TEST(QualityLight, LuminanceIsLinearLight) {  // [7.4j] [6.1.3c]
  for (const int level : {10, 60, 128, 188, 250}) {
    const MadeFace face = grey(level);
    EXPECT_NEAR(face.read(Measure::kLuminanceMean).native, luminance_of(level), 1e-6) << level;
    EXPECT_NEAR(face.read(Measure::kLuminanceVariance).native, 0, 1e-9);
    EXPECT_EQ(face.read(Measure::kDynamicRange).native, 0);
  }
  // 100 σ(x; 0.2, 0.05) (1 − σ(x; 0.8, 0.05)): half way up, between the slopes, half way down.
  EXPECT_NEAR(grey(124).read(Measure::kLuminanceMean).scalar, 50, 2);
  EXPECT_EQ(grey(188).read(Measure::kLuminanceMean).scalar, 100);
  EXPECT_NEAR(grey(231).read(Measure::kLuminanceMean).scalar, 50, 4);
}

TEST(QualityLight, VarianceAndEntropyOfTwoLevels) {  // [7.4j]
  const MadeFace face = halves(60, 200);
  const double a = luminance_of(60), b = luminance_of(200);
  const double mean = face.read(Measure::kLuminanceMean).native, p = (mean - a) / (b - a);
  ASSERT_NEAR(p, 0.5, 0.02);
  const double variance = p * (1 - p) * (b - a) * (b - a);
  // Interpolation at the border of the halves gives a column of levels between.
  EXPECT_NEAR(face.read(Measure::kLuminanceVariance).native, variance, 0.01 * variance);
  EXPECT_NEAR(face.read(Measure::kDynamicRange).native, -p * std::log2(p) - (1 - p) * std::log2(1 - p), 0.1);
  EXPECT_NEAR(face.read(Measure::kLuminanceVariance).scalar,
              100 * std::sin(M_PI * 60 * variance / (60 * variance + 1)), 1);
}

TEST(QualityLight, ExposureCountsBothEnds) {  // [7.4j]
  EXPECT_EQ(grey(60).read(Measure::kUnderExposurePrevention).native, 1);
  EXPECT_EQ(grey(128).read(Measure::kUnderExposurePrevention).native, 0);
  EXPECT_EQ(grey(128).read(Measure::kUnderExposurePrevention).scalar, 100);  // 120 (0.832 − σ(0; 0.92, 0.05))
  EXPECT_EQ(grey(60).read(Measure::kUnderExposurePrevention).scalar, 0);
  EXPECT_EQ(grey(255).read(Measure::kOverExposurePrevention).native, 1);
  EXPECT_EQ(grey(255).read(Measure::kOverExposurePrevention).scalar, 1);
  EXPECT_EQ(grey(128).read(Measure::kOverExposurePrevention).scalar, 100);
}

TEST(QualityLight, GreyRangeHasBothItsEnds) {  // [7.4j]
  for (const auto& [level, share] : {std::pair{84, 0}, {85, 1}, {200, 1}, {201, 0}})
    EXPECT_EQ(grey(level).read(Measure::kGreyRange).native, share) << level;
}

TEST(QualityLight, GreyLevelsShowTheirGaps) {  // [7.4j]
  MadeFace face = grey(0);
  for (int x = 0; x < 640; ++x) face.picture.col(x).setTo(cv::Scalar::all(x / 640.0 * 255));
  EXPECT_EQ(face.read(Measure::kGreyLevels).native, 1);
  for (const int bits : {6, 5, 4}) {
    MadeFace coarse = face;
    coarse.picture = face.picture.clone();
    const int step = 1 << (8 - bits);
    coarse.picture.forEach<cv::Vec3b>(
        [&](cv::Vec3b& p, const int*) { p = cv::Vec3b::all(static_cast<uint8_t>(p[0] / step * step)); });
    EXPECT_NEAR(coarse.read(Measure::kGreyLevels).native, 1.0 / step, 0.6 / step) << bits;
  }
  EXPECT_FALSE(grey(128).read(Measure::kGreyLevels).assessed);
}

TEST(QualityLight, UnevenLight) {  // [7.4j]
  EXPECT_EQ(grey(128).read(Measure::kIlluminationUniformity).native, 1);
  EXPECT_EQ(grey(128).read(Measure::kIlluminationUniformity).scalar, 100);
  EXPECT_EQ(halves(60, 200).read(Measure::kIlluminationUniformity).native, 0);
  EXPECT_EQ(grey(128).read(Measure::kShadowPrevention).native, 1);
  EXPECT_NEAR(halves(90, 180).read(Measure::kShadowPrevention).native, luminance_of(90) / luminance_of(180),
              0.01);
}

TEST(QualityLight, MeasuresOfTheFaceDoNotSeeTheBackground) {
  MadeFace face = grey(128), framed = grey(250);
  framed.paint(face_outline(), 1.5f, cv::Scalar::all(128));
  for (const Measure measure : {Measure::kLuminanceMean, Measure::kLuminanceVariance, Measure::kGreyRange,
                                Measure::kOverExposurePrevention, Measure::kIlluminationUniformity})
    EXPECT_EQ(face.read(measure).native, framed.read(measure).native);
}

TEST(QualityLight, BlackBesideACutFaceDoesNotCount) {
  const MadeFace cut({640, 640}, cv::Scalar::all(128), 160, {}, {20, 320});
  EXPECT_NEAR(cut.read(Measure::kLuminanceMean).native, luminance_of(128), 0.003);
  EXPECT_FALSE(cut.read(Measure::kIlluminationUniformity).assessed);  // one cheek is not there
}

TEST(QualityLight, BackgroundGradient) {
  EXPECT_EQ(grey(128).read(Measure::kBackgroundUniformity).native, 0);
  EXPECT_EQ(grey(128).read(Measure::kBackgroundUniformity).scalar, 100);  // 190 (1 − σ(0; 10, 100)) is 99.7
  double before = 0;
  for (const int contrast : {10, 30, 60, 100}) {
    MadeFace face = grey(128);
    for (int y = 0; y < 640; y += 16) face.picture.rowRange(y, y + 8).setTo(cv::Scalar::all(128 + contrast));
    face.paint(face_outline(), 1.8f, cv::Scalar::all(128));
    const Reading reading = face.read(Measure::kBackgroundUniformity);
    EXPECT_GT(reading.native, before);
    before = reading.native;
  }
  // A picture of nothing but a face has no background.
  const MadeFace close({200, 200}, cv::Scalar::all(128), 160, {}, {100, 100});
  EXPECT_FALSE(close.read(Measure::kBackgroundUniformity).assessed);
}

TEST(QualityLight, SkinHasItsRangeOfColour) {  // [7.4i]
  EXPECT_EQ(MadeFace({640, 640}, {120, 150, 200}).read(Measure::kNaturalColour).native, 0);
  EXPECT_EQ(MadeFace({640, 640}, {120, 150, 200}).read(Measure::kNaturalColour).scalar, 100);
  EXPECT_EQ(MadeFace({640, 640}, {200, 150, 120}).read(Measure::kNaturalColour).native, 100);  // b < 0
  EXPECT_EQ(MadeFace({640, 640}, {120, 200, 150}).read(Measure::kNaturalColour).native, 100);  // a < 0
  EXPECT_FALSE(grey(128).read(Measure::kNaturalColour).assessed);
}

TEST(QualityLight, LabOfKnownColours) {
  const Lab white = to_lab(1, 1, 1, White::kD50), red = to_lab(1, 0, 0, White::kD65);
  EXPECT_NEAR(white.lightness, 100, 1e-6);
  EXPECT_NEAR(white.a, 0, 1e-6);
  EXPECT_NEAR(white.b, 0, 1e-6);
  EXPECT_NEAR(red.lightness, 53.24, 0.01);
  EXPECT_NEAR(red.a, 80.09, 0.05);
  EXPECT_NEAR(red.b, 67.2, 0.05);
}

TEST(QualityLight, ColouredLightShowsOnTheWhitesOfTheEyes) {  // [7.4i]
  EXPECT_NEAR(grey(200).read(Measure::kLightColour).native, 0, 0.01);
  EXPECT_EQ(grey(200).read(Measure::kLightColour).scalar, 100);
  EXPECT_NEAR(grey(90).read(Measure::kLightColour).native, 0, 0.01);  // dim is not coloured
  double before = 0;
  for (const int cut : {20, 60, 120, 180}) {
    const Reading reading = MadeFace({640, 640}, cv::Scalar(200 - cut, 200, 200)).read(Measure::kLightColour);
    EXPECT_GT(reading.native, before + 3);
    before = reading.native;
  }
  EXPECT_FALSE(grey(5).read(Measure::kLightColour).assessed);
  const MadeFace small({640, 640}, cv::Scalar::all(200), 160);
  MadeFace closed = small;
  for (const auto contour : {left_eye_contour(), right_eye_contour()})
    for (const uint16_t index : contour) closed.mesh.points[index].y = closed.mesh.points[contour[0]].y;
  EXPECT_FALSE(closed.read(Measure::kLightColour).assessed);
}

}  // namespace
}  // namespace visage::quality
