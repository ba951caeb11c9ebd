// What was done to the picture or the face.   [7.4d] [7.4e]
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "pictures.h"
#include "quality_face.h"

namespace visage::quality {
namespace {

using probe::Measure;
using test::MadeFace;

// A camera's noise over everything.
void add_noise(cv::Mat& picture) {
  cv::Mat noise(picture.size(), CV_32FC3), sum;
  cv::RNG(7).fill(noise, cv::RNG::NORMAL, 0, 4);
  picture.convertTo(sum, CV_32FC3);
  sum += noise;
  sum.convertTo(picture, CV_8UC3);
}

TEST(QualityEdit, SmoothedSkinLosesItsGrain) {
  MadeFace face;
  add_noise(face.picture);
  const Reading untouched = face.read(Measure::kSkinTexture);
  ASSERT_TRUE(untouched.assessed);
  EXPECT_GT(untouched.native, 0.9f);
  float before = untouched.native;
  const cv::Mat original = face.picture.clone();
  for (const int width : {3, 5, 9}) {
    cv::Mat smooth;
    cv::blur(original, smooth, {width, width});
    smooth(cv::Rect(200, 200, 240, 280)).copyTo(face.picture(cv::Rect(200, 200, 240, 280)));
    const Reading now = face.read(Measure::kSkinTexture);
    ASSERT_TRUE(now.assessed) << width;
    EXPECT_LT(now.native, before) << width;
    before = now.native;
  }
  EXPECT_LT(before, 0.3f);
}

// Without noise anywhere there is nothing to compare: a drawing, or what a codec left.
TEST(QualityEdit, WithoutNoiseNothingIsSaid) {
  EXPECT_FALSE(MadeFace().read(Measure::kSkinTexture).assessed);
  MadeFace smoothed;  // as a whole
  add_noise(smoothed.picture);
  cv::blur(smoothed.picture, smoothed.picture, {15, 15});
  EXPECT_FALSE(smoothed.read(Measure::kSkinTexture).assessed);
}

void paint_irises(MadeFace& face, const cv::Scalar& colour) {
  for (const size_t iris : {468, 473}) {
    const float radius = capture::distance(face.mesh.points[iris], face.mesh.points[iris + 1]);
    cv::circle(face.picture, cv::Point(face.mesh.points[iris]), cvRound(1.1f * radius), colour, cv::FILLED);
  }
}

TEST(QualityEdit, IrisesOfNoEyesColourShow) {
  const auto excess = [](const cv::Scalar& colour) {
    MadeFace face({1280, 1280}, {120, 150, 200}, 320, {}, {640, 640});
    paint_irises(face, colour);
    const Reading reading = face.read(Measure::kIrisColour);
    EXPECT_TRUE(reading.assessed);
    return reading.native;
  };
  EXPECT_EQ(excess({40, 60, 90}), 0) << "brown";
  EXPECT_EQ(excess({15, 22, 35}), 0) << "dark brown";
  EXPECT_EQ(excess({140, 125, 110}), 0) << "grey-blue";
  EXPECT_EQ(excess({80, 115, 105}), 0) << "green-grey";
  EXPECT_GT(excess({200, 60, 120}), 10) << "violet";
  EXPECT_GT(excess({60, 200, 60}), 10) << "bright green";
  EXPECT_GT(excess({230, 110, 20}), 10) << "bright blue";
}

TEST(QualityEdit, SmallIrisesTellNothing) {
  EXPECT_FALSE(MadeFace({640, 640}, {120, 150, 200}, 40).read(Measure::kIrisColour).assessed);
}

TEST(QualityEdit, PaintOnLipsAndLidsShows) {
  constexpr uint16_t kLips[] = {61, 0, 291, 17};
  constexpr uint16_t kLeftLid[] = {33, 159, 133, 55, 52, 46}, kRightLid[] = {263, 386, 362, 285, 282, 276};
  float before = MadeFace().read(Measure::kMakeUp).native;
  for (const double strength : {0.3, 0.6, 0.9}) {
    MadeFace face;
    const auto mixed = [&](const cv::Scalar& paint) {
      return (1 - strength) * cv::Scalar(120, 150, 200) + strength * paint;
    };
    face.paint(kLips, 1.2f, mixed({40, 20, 180}));
    face.paint(kLeftLid, 1.1f, mixed({120, 40, 60}));
    face.paint(kRightLid, 1.1f, mixed({120, 40, 60}));
    const Reading reading = face.read(Measure::kMakeUp);
    ASSERT_TRUE(reading.assessed);
    EXPECT_GT(reading.native, before) << strength;
    before = reading.native;
  }
  EXPECT_GT(before, 20);
  EXPECT_FALSE(MadeFace({640, 640}, {200, 60, 20}).read(Measure::kMakeUp).assessed)
      << "no skin to compare with";
}

TEST(QualityEdit, AFileThatNamesAnEditor) {
  MadeFace face;
  EXPECT_FALSE(face.read(Measure::kEditorNamed).assessed) << "no file";
  face.file = capture::test::encode(face.picture, ".jpg", 90);
  EXPECT_EQ(face.read(Measure::kEditorNamed).native, 0);
  const std::string comment("\xff\xfe\0\6gimp", 8);
  face.file.insert(face.file.begin() + 2, comment.begin(), comment.end());
  EXPECT_EQ(face.read(Measure::kEditorNamed).native, 1);
}

}  // namespace
}  // namespace visage::quality
