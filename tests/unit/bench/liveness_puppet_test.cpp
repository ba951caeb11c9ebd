// The puppets that the benchmarks film do what their pose says.

#include <gtest/gtest.h>

#include <array>
#include <opencv2/imgproc.hpp>

#include "liveness_made.h"
#include "tests/unit/sidecar/quality_face.h"

namespace visage::bench {
namespace {

using quality::test::MadeFace;

constexpr std::array<uint16_t, 16> kEyes[] = {
    {33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7},
    {263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249}};
constexpr std::array<uint16_t, 20> kInsideLips = {78,  191, 80,  81,  82,  13, 312, 311, 310, 415,
                                                  308, 324, 318, 402, 317, 14, 87,  178, 88,  95};
const cv::Scalar kSkin(120, 150, 200), kEyeball(240, 240, 40), kTeeth(235, 240, 240);

// Pixels of a colour, give or take.
int count(const cv::Mat& picture, const cv::Scalar& colour) {
  cv::Mat found;
  cv::inRange(picture, colour - cv::Scalar::all(40), colour + cv::Scalar::all(40), found);
  return cv::countNonZero(found);
}

class PuppetTest : public testing::Test {
 protected:
  void paint_eyes(float grow) {
    for (const auto& eye : kEyes) face_.paint(eye, grow, kEyeball);
  }
  cv::Mat show(const Pose& pose) const { return Puppet(face_.picture, face_.mesh).show(pose); }

  MadeFace face_{{640, 640}, kSkin, 200};
};

TEST_F(PuppetTest, AtRestIsThePortrait) {
  paint_eyes(1);
  EXPECT_EQ(cv::norm(show({}), face_.picture, cv::NORM_INF), 0);
}

// The network's line lies a little inside the eye. What is left of it must not be drawn out over the whole of
// it.
TEST_F(PuppetTest, ShutLidsLeaveNothingOfTheEye) {
  paint_eyes(1.15f);
  const int open = count(face_.picture, kEyeball);
  ASSERT_GT(open, 1000);
  EXPECT_LT(count(show({.blink = 1}), kEyeball), open / 5);
}

// A lid hides the eye, it does not squeeze it.
TEST_F(PuppetTest, LidsComeDownOverTheEye) {
  paint_eyes(1);
  const double open = count(face_.picture, kEyeball);
  EXPECT_NEAR(count(show({.blink = 0.5f}), kEyeball) / open, 0.5, 0.1);
  EXPECT_LT(count(show({.blink = 1}), kEyeball) / open, 0.02);
}

TEST_F(PuppetTest, AnOpenMouthIsDarkInside) {
  const cv::Mat open = show({.open = 1});
  // The mean face shows some teeth, down to this point.
  const cv::Point2f edge = face_.mesh.points[14];
  const float chin = face_.mesh.points[152].y - face_.mesh.points[1].y;
  for (const float down : {0.1f, 0.2f, 0.3f}) {
    const auto pixel = open.at<cv::Vec3b>(cv::Point(edge + cv::Point2f(0, down * chin)));
    EXPECT_LT(pixel[0] + pixel[1] + pixel[2], 180) << down;
  }
  EXPECT_EQ(count(face_.picture, {30, 30, 30}), 0);
}

// They belong to the upper jaw, and are not drawn out with the mouth.
TEST_F(PuppetTest, TeethStayAsTheyAre) {
  face_.mesh.points[14].y += 8;
  for (const size_t i : {87, 317, 178, 402, 88, 318}) face_.mesh.points[i].y += 6;
  face_.paint(kInsideLips, 1, kTeeth);
  const double shown = count(face_.picture, kTeeth);
  ASSERT_GT(shown, 200);
  EXPECT_NEAR(count(show({.open = 1}), kTeeth) / shown, 1, 0.25);
}

}  // namespace
}  // namespace visage::bench
