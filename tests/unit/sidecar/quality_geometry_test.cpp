// Measures of size, place, pose and shape, exact on a made face.
#include <gtest/gtest.h>

#include <opencv2/imgproc.hpp>

#include "quality_face.h"

namespace visage::quality {
namespace {

using probe::Measure;
using test::MadeFace;

TEST(QualityGeometry, SizesOfThePicture) {  // [7.4a]
  const MadeFace face({800, 600});
  EXPECT_EQ(face.read(Measure::kImageWidth).native, 800);
  EXPECT_EQ(face.read(Measure::kImageHeight).native, 600);
  EXPECT_EQ(face.read(Measure::kImageWidth).scalar, probe::kScalarUndetermined);
  EXPECT_EQ(face.read(Measure::kFacesFound).native, 1);
}

TEST(QualityGeometry, EyeDistanceIsDividedByTheCosineOfYaw) {  // [7.4f] [6.1.3c]
  const MadeFace front;
  const float whole = front.read(Measure::kInterEyeDistance).native;
  EXPECT_NEAR(whole, front.view().eye_distance, 0.1f);
  for (const double yaw : {-30.0, -15.0, 15.0, 30.0}) {
    const MadeFace turned({640, 640}, {120, 150, 200}, 160, {.yaw = yaw});
    EXPECT_LT(turned.view().eye_distance, 0.99f * whole);
    EXPECT_NEAR(turned.read(Measure::kInterEyeDistance).native, whole, 0.02f * whole) << yaw;
  }
}

TEST(QualityGeometry, EyeDistanceMapsAsOfiqDoes) {  // [7.4f] 60 px is 38, 90 px is 73
  for (const auto& [px, scalar] : {std::pair{60, 38}, {90, 73}}) {
    MadeFace face;
    const double ratio = face.view().eye_distance / 160.0;
    face = MadeFace({640, 640}, {120, 150, 200}, px / ratio);
    EXPECT_NEAR(face.read(Measure::kInterEyeDistance).native, px, 0.05);
    EXPECT_EQ(face.read(Measure::kInterEyeDistance).scalar, scalar);
  }
}

TEST(QualityGeometry, EyeDistanceOfAProfileIsNotBlownUp) {
  const MadeFace face({640, 640}, {120, 150, 200}, 160, {.yaw = 85});
  const MadeFace front;
  EXPECT_LT(face.read(Measure::kInterEyeDistance).native, front.read(Measure::kInterEyeDistance).native);
}

TEST(QualityGeometry, PoseIsThatOfTheFace) {  // [7.4h] [6.1.3c]
  for (const double yaw : {-25.0, 0.0, 18.0})
    for (const double pitch : {-15.0, 0.0, 12.0})
      for (const double roll : {-30.0, 0.0, 20.0}) {
        const MadeFace face({640, 640}, {120, 150, 200}, 160, {yaw, pitch, roll});
        if (roll == 0) {
          EXPECT_NEAR(face.read(Measure::kHeadPoseYaw).native, yaw, 0.5) << pitch;
          EXPECT_NEAR(face.read(Measure::kHeadPosePitch).native, pitch, 0.5) << yaw;
        }
        if (yaw == 0) {
          EXPECT_NEAR(face.read(Measure::kHeadPoseRoll).native, roll, 0.5) << pitch;
        }
      }
  const MadeFace twenty({640, 640}, {120, 150, 200}, 160, {.yaw = 20});
  EXPECT_NEAR(twenty.read(Measure::kHeadPoseYaw).scalar, 88, 1);
}

TEST(QualityGeometry, StretchedPicturesAreDistorted) {  // [7.4c]
  MadeFace face;
  EXPECT_LT(face.read(Measure::kGeometricDistortion).native, 0.5f);
  for (const float factor : {1.1f, 1.2f, 1.4f}) {
    MadeFace wide, tall;
    for (auto& p : wide.mesh.points) p.x *= factor;
    for (auto& p : tall.mesh.points) p.y *= factor;
    EXPECT_NEAR(wide.read(Measure::kGeometricDistortion).native, 100 * (factor - 1), 4) << factor;
    EXPECT_NEAR(tall.read(Measure::kGeometricDistortion).native, 100 * (factor - 1), 4) << factor;
  }
  // The head's pose is no distortion, and past where the two look alike nothing is said.
  const MadeFace turned({640, 640}, {120, 150, 200}, 160, {15, -10, 20});
  EXPECT_LT(turned.read(Measure::kGeometricDistortion).native, 3);
  const MadeFace far({640, 640}, {120, 150, 200}, 160, {.yaw = 40});
  EXPECT_FALSE(far.read(Measure::kGeometricDistortion).assessed);
}

TEST(QualityGeometry, RegionIsHeldAgainstTheMesh) {  // [7.4b]
  MadeFace face;
  std::vector<capture::Point> outline;
  for (const uint16_t index : face_outline()) outline.push_back(face.mesh.points[index]);
  face.faces[0].box = cv::boundingRect(outline);
  EXPECT_FLOAT_EQ(face.read(Measure::kFaceRegion).native, 1);
  face.faces[0].box.x += face.faces[0].box.width / 2;
  EXPECT_NEAR(face.read(Measure::kFaceRegion).native, 1 / 3.0, 0.01);
  face.faces[0].box.x += 600;
  EXPECT_EQ(face.read(Measure::kFaceRegion).native, 0);
}

TEST(QualityGeometry, CutFacesAreIncomplete) {  // [7.4d] [6.1.3c]
  EXPECT_EQ(MadeFace().read(Measure::kFaceCompleteness).native, 1);
  float before = 1;
  for (const float x : {60.0f, 30.0f, 0.0f, -40.0f}) {
    const float share =
        MadeFace({640, 640}, {120, 150, 200}, 160, {}, {x, 320}).read(Measure::kFaceCompleteness).native;
    EXPECT_LT(share, before);
    before = share;
  }
  EXPECT_NEAR(
      MadeFace({640, 640}, {120, 150, 200}, 160, {}, {0, 320}).read(Measure::kFaceCompleteness).native, 0.5,
      0.03);
}

TEST(QualityGeometry, RoomAroundTheFace) {
  const MadeFace face({640, 480}, {120, 150, 200}, 100, {}, {300, 200});
  const View view = face.view();
  const float eyes = (view.eye_left.y + view.eye_right.y) / 2;
  EXPECT_NEAR(face.read(Measure::kLeftwardCrop).native, view.eye_left.x / view.eye_distance, 1e-4);
  EXPECT_NEAR(face.read(Measure::kRightwardCrop).native, (640 - view.eye_right.x) / view.eye_distance, 1e-4);
  EXPECT_NEAR(face.read(Measure::kMarginAbove).native, eyes / view.eyes_to_chin, 1e-4);
  EXPECT_NEAR(face.read(Measure::kMarginBelow).native, (480 - eyes) / view.eyes_to_chin, 1e-4);
  EXPECT_NEAR(face.read(Measure::kHeadSize).native, view.eyes_to_chin / 480, 1e-5);
}

TEST(QualityGeometry, SecondFaceByItsArea) {  // [6.1.1f]
  MadeFace face;
  EXPECT_EQ(face.read(Measure::kSingleFacePresent).scalar, 100);
  face.faces.push_back(face.faces[0]);
  face.faces[1].box.width /= 2;
  face.faces[1].box.height /= 2;
  EXPECT_FLOAT_EQ(face.read(Measure::kSingleFacePresent).native, 0.25f);
  EXPECT_EQ(face.read(Measure::kSingleFacePresent).scalar, 75);
}

TEST(QualityGeometry, LidsAndLipsByTheirGaps) {  // [7.4g] [6.1.3c]
  MadeFace face;
  const float chin = face.view().eyes_to_chin;
  const auto open = [&](std::initializer_list<std::pair<size_t, size_t>> pairs, float gap) {
    for (const auto& [upper, lower] : pairs) {
      const capture::Point middle = (face.mesh.points[upper] + face.mesh.points[lower]) / 2;
      face.mesh.points[upper] = middle - capture::Point(0, gap / 2);
      face.mesh.points[lower] = middle + capture::Point(0, gap / 2);
    }
  };
  const auto left = {std::pair<size_t, size_t>{160, 144}, {159, 145}, {158, 153}};
  const auto right = {std::pair<size_t, size_t>{385, 380}, {386, 374}, {387, 373}};
  open(left, 0.08f * chin);
  open(right, 0.02f * chin);
  EXPECT_NEAR(face.read(Measure::kEyesOpen).native, 0.02, 1e-3);  // the eye that is open less
  EXPECT_NEAR(face.read(Measure::kEyesOpen).scalar, 50, 3);
  open(right, 0);
  EXPECT_NEAR(face.read(Measure::kEyesOpen).native, 0, 1e-3);
  EXPECT_EQ(face.read(Measure::kEyesOpen).scalar, 12);  // 100 σ(0; 0.02, 0.01)
  const auto lips = {std::pair<size_t, size_t>{82, 87}, {13, 14}, {312, 317}};
  open(lips, 0);
  EXPECT_NEAR(face.read(Measure::kMouthClosed).native, 0, 1e-3);
  open(lips, 0.2f * chin);
  EXPECT_NEAR(face.read(Measure::kMouthClosed).native, 0.2, 1e-3);
  EXPECT_EQ(face.read(Measure::kMouthClosed).scalar, 50);
}

TEST(QualityGeometry, SmilesAreNeutralEnough) {  // [7.4g] [6.1.3c]
  MadeFace face;
  face.shapes[capture::kMouthSmileLeft] = face.shapes[capture::kMouthSmileRight] = 1;
  EXPECT_EQ(face.read(Measure::kExpressionNeutrality).native, 0);
  face.shapes[capture::kJawOpen] = 0.9f;
  EXPECT_FLOAT_EQ(face.read(Measure::kExpressionNeutrality).native, 0.9f);
  EXPECT_EQ(face.read(Measure::kExpressionNeutrality).scalar, 10);
  face.has_shapes = false;
  EXPECT_FALSE(face.read(Measure::kExpressionNeutrality).assessed);
}

TEST(QualityGeometry, DegenerateMeshesAreUndeterminedOrPlain) {
  MadeFace face;
  for (auto& p : face.mesh.points) p = {100, 100};
  for (auto& z : face.mesh.depth) z = 0;
  for (size_t i = 0; i < kMeasures; ++i) {
    const Reading reading = functions()[i](face.view());
    EXPECT_TRUE(std::isfinite(reading.native)) << definitions()[i].name;
  }
  face = MadeFace({640, 640}, {120, 150, 200}, 160, {}, {5000, -5000});
  for (size_t i = 0; i < kMeasures; ++i) (void)functions()[i](face.view());
  EXPECT_EQ(face.read(Measure::kFaceCompleteness).native, 0);
  EXPECT_FALSE(face.read(Measure::kLuminanceMean).assessed);
}

}  // namespace
}  // namespace visage::quality
