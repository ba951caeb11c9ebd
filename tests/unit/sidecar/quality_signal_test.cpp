// Sharpness, compression, and what covers the face.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "pictures.h"
#include "quality_face.h"

namespace visage::quality {
namespace {

using probe::Measure;
using test::MadeFace;

const cv::Scalar kSkin(120, 150, 200);

// Detail of all sizes, as a face has it.
MadeFace textured() {
  MadeFace face;
  cv::Mat sum = cv::Mat::zeros(640, 640, CV_32FC3);
  for (const int size : {3, 11, 61}) {  // on no codec's grid
    cv::Mat noise = capture::test::noise(640 / size + 1, 640 / size + 1), large;
    cv::resize(noise, large, {640, 640}, 0, 0, cv::INTER_LINEAR);
    cv::Mat part;
    large.convertTo(part, CV_32FC3, 1 / 3.0);
    sum += part;
  }
  sum.convertTo(face.picture, CV_8UC3);
  return face;
}

TEST(QualitySignal, SharpnessFallsWithEveryBlur) {  // [7.4e] [6.1.3c]
  const MadeFace sharp = textured();
  float before = sharp.read(Measure::kSharpness).native;
  for (const double sigma : {1.0, 2.0, 4.0}) {
    MadeFace blurred;  // of its own: copies of a cv::Mat share their pixels
    cv::GaussianBlur(sharp.picture, blurred.picture, {0, 0}, sigma);
    const float now = blurred.read(Measure::kSharpness).native;
    EXPECT_LT(now, before) << sigma;
    before = now;
  }
  // Past the length of its own low-pass the measure stays down and tells no more.
  MadeFace gone;
  cv::GaussianBlur(sharp.picture, gone.picture, {0, 0}, 8);
  EXPECT_LT(gone.read(Measure::kSharpness).scalar, 60);
  EXPECT_LT(gone.read(Measure::kSharpness).native, 0.6f * sharp.read(Measure::kSharpness).native);
  // Along one axis alone is a blur as well.
  MadeFace shaken;
  cv::blur(sharp.picture, shaken.picture, {15, 1});
  EXPECT_LT(shaken.read(Measure::kSharpness).native, 0.7f * sharp.read(Measure::kSharpness).native);
  EXPECT_EQ(MadeFace().read(Measure::kSharpness).native, 0);  // nothing to be sharp
}

TEST(QualitySignal, JpegTablesTellTheirQuality) {  // [7.4e]
  MadeFace face = textured();
  for (const int quality : {5, 20, 50, 75, 90, 100}) {
    cv::Mat picture = face.picture;
    face.file = capture::test::encode(picture, ".jpg", quality);
    const Reading reading = face.read(Measure::kCompressionArtifacts);
    ASSERT_TRUE(reading.assessed);
    EXPECT_NEAR(reading.native, quality, 1.5);
  }
}

TEST(QualitySignal, OtherFilesHaveNoJpegTables) {
  MadeFace face;
  EXPECT_FALSE(face.read(Measure::kCompressionArtifacts).assessed);
  face.file = capture::test::encode(face.picture, ".png");
  EXPECT_FALSE(face.read(Measure::kCompressionArtifacts).assessed);
  // Every cut and a table that is longer than its file.
  const std::vector<uint8_t> whole = capture::test::encode(face.picture, ".jpg");
  for (size_t size = 0; size < 200; ++size) {
    face.file.assign(whole.begin(), whole.begin() + static_cast<long>(size));
    (void)face.read(Measure::kCompressionArtifacts);
  }
  face.file = {0xff, 0xd8, 0xff, 0xdb, 0xff, 0xff, 0, 1};
  EXPECT_FALSE(face.read(Measure::kCompressionArtifacts).assessed);
}

TEST(QualitySignal, BlocksShowOnTheirGrid) {  // [7.4e]
  MadeFace face = textured();
  EXPECT_NEAR(face.read(Measure::kBlockiness).native, 1, 0.1);
  double before = face.read(Measure::kBlockiness).native;
  for (const int quality : {50, 20, 5}) {
    MadeFace coarse = face;
    coarse.picture = capture::test::decode(capture::test::encode(face.picture, ".jpg", quality));
    EXPECT_GT(coarse.read(Measure::kBlockiness).native, before) << quality;
    before = coarse.read(Measure::kBlockiness).native;
  }
}

TEST(QualitySignal, SkinCoversNothing) {  // [7.4d] [6.1.3c]
  const MadeFace face;
  for (const Measure measure :
       {Measure::kEyesVisible, Measure::kMouthOcclusionPrevention, Measure::kFaceOcclusionPrevention}) {
    EXPECT_EQ(face.read(measure).native, 0);
    EXPECT_EQ(face.read(measure).scalar, 100);
  }
}

TEST(QualitySignal, DarkLensesHideTheEyes) {  // [7.4d]
  MadeFace face;
  face.paint(left_eye_contour(), 2, {10, 10, 10});
  const float one = face.read(Measure::kEyesVisible).native;
  EXPECT_GT(one, 0.3f);
  face.paint(right_eye_contour(), 2, {10, 10, 10});
  EXPECT_GT(face.read(Measure::kEyesVisible).native, one + 0.2f);
  EXPECT_LT(face.read(Measure::kEyesVisible).scalar, 40);
}

TEST(QualitySignal, ClothHidesMouthAndFace) {  // [7.4d]
  MadeFace face;
  face.paint(outer_lips(), 1.2f, {200, 170, 110});
  EXPECT_GT(face.read(Measure::kMouthOcclusionPrevention).native, 0.9f);
  MadeFace lips;
  lips.paint(outer_lips(), 1.0f, {90, 90, 190});  // redder than the skin, as lips are
  EXPECT_LT(lips.read(Measure::kMouthOcclusionPrevention).native, 0.1f);
  constexpr uint16_t kChin[] = {172, 397, 152, 205, 425, 4};
  MadeFace scarf;
  scarf.paint(kChin, 1, {180, 90, 40});
  const float share = scarf.read(Measure::kFaceOcclusionPrevention).native;
  EXPECT_GT(share, 0.2f);
  EXPECT_LT(share, 0.8f);
}

TEST(QualitySignal, WithoutSkinNothingIsSaidOfOcclusion) {
  for (const cv::Scalar& colour :
       {cv::Scalar(220, 120, 60), cv::Scalar(10, 10, 12), cv::Scalar(60, 220, 60)}) {
    const MadeFace face({640, 640}, colour);
    EXPECT_FALSE(face.read(Measure::kFaceOcclusionPrevention).assessed);
    EXPECT_FALSE(face.read(Measure::kEyesVisible).assessed);
  }
}

TEST(QualitySignal, GlareIsCountedInTheEyeZones) {  // [7.4d]
  MadeFace face;
  EXPECT_EQ(face.read(Measure::kEyeGlare).native, 0);
  float before = 0;
  for (const float grow : {0.3f, 0.7f, 1.2f}) {
    face.paint(left_eye_contour(), grow, cv::Scalar::all(255));
    EXPECT_GT(face.read(Measure::kEyeGlare).native, before);
    before = face.read(Measure::kEyeGlare).native;
  }
  MadeFace elsewhere;
  elsewhere.paint(outer_lips(), 1, cv::Scalar::all(255));
  EXPECT_EQ(elsewhere.read(Measure::kEyeGlare).native, 0);
  face.paint(face_outline(), 1.5f, cv::Scalar::all(255));
  EXPECT_EQ(face.read(Measure::kEyeGlare).native, 1);
}

}  // namespace
}  // namespace visage::quality
