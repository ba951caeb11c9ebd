// Anchors, decoding, suppression, and the stated rule for the main face (6.1.1f).
#include "sidecar/capture/detection.h"

#include <gtest/gtest.h>

namespace visage::capture {
namespace {

Detection face(float score, float x, float y, float side) {
  Detection detection;
  detection.score = score;
  detection.box = {x, y, side, side};
  detection.points.fill({x, y});
  return detection;
}

TEST(Detection, AnchorsAreThoseOfBlazeFace) {
  const auto anchors = make_anchors();
  EXPECT_EQ(anchors.size(), 896u);
  EXPECT_EQ(anchors[0], Point(1 / 32.0f, 1 / 32.0f));
  EXPECT_EQ(anchors[1], anchors[0]);
  EXPECT_EQ(anchors[2], Point(3 / 32.0f, 1 / 32.0f));
  EXPECT_EQ(anchors[512], Point(1 / 16.0f, 1 / 16.0f));
  EXPECT_EQ(anchors[517], anchors[512]);
  EXPECT_EQ(anchors[895], Point(15 / 16.0f, 15 / 16.0f));
}

TEST(Detection, OffsetsCountFromTheCell) {
  std::array<float, kBoxValues> row{10, -6, 40, 60, 1, 2};
  const Detection detection = decode_anchor({0.5f, 0.25f}, 256, 0, row);
  EXPECT_FLOAT_EQ(detection.score, 0.5f);
  EXPECT_EQ(detection.box, Box(128 + 10 - 20, 64 - 6 - 30, 40, 60));
  EXPECT_EQ(detection.points[kLeftEye], Point(129, 66));
  EXPECT_FLOAT_EQ(decode_anchor({0, 0}, 256, 1e9f, row).score, 1);
  EXPECT_NEAR(decode_anchor({0, 0}, 256, -1e9f, row).score, 0, 1e-9);
}

TEST(Detection, ClustersBecomeTheirWeightedMean) {
  const std::vector<Detection> faces =
      suppress({face(0.6f, 104, 100, 100), face(0.9f, 100, 100, 100), face(0.8f, 400, 400, 50)}, 0.3f, 0.5f);
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_FLOAT_EQ(faces[0].score, 0.9f);
  EXPECT_NEAR(faces[0].box.x, 100 + 4 * 0.6 / 1.5, 1e-3);
  EXPECT_NEAR(faces[0].points[kNose].x, faces[0].box.x, 1e-3);
  EXPECT_FLOAT_EQ(faces[1].box.x, 400);
  EXPECT_TRUE(suppress({}, 0.3f, 0.5f).empty());
}

// Two heads side by side: what lies between them is dropped, not averaged into either.
TEST(Detection, HalfOverlappingCandidatesDoNotMoveTheBox) {
  const std::vector<Detection> faces = suppress(
      {face(0.9f, 100, 100, 100), face(0.8f, 140, 100, 100), face(0.85f, 200, 100, 100)}, 0.3f, 0.5f);
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_FLOAT_EQ(faces[0].box.x, 100);
  EXPECT_FLOAT_EQ(faces[1].box.x, 200);
}

TEST(Detection, MainFaceIsLargeCentralAndCertain) {
  const cv::Size image(640, 480);
  const auto first = [&](std::vector<Detection> faces) {
    sort_by_prominence(faces, image);
    return faces.front().box;
  };
  const Detection middle = face(0.9f, 270, 190, 100);
  EXPECT_EQ(first({face(0.9f, 300, 200, 40), middle}), middle.box) << "larger";
  EXPECT_EQ(first({face(0.9f, 0, 0, 110), middle}), middle.box) << "more central";
  EXPECT_EQ(first({face(0.51f, 250, 170, 120), middle}), middle.box) << "more certain";
  EXPECT_EQ(first({face(0.9f, 100, 100, 240), middle}).width, 240) << "size wins over a little distance";
}

TEST(Detection, SecondFaceRatioIsAShareOfArea) {
  const Detection faces[] = {face(0.9f, 0, 0, 100), face(0.9f, 0, 0, 20), face(0.9f, 0, 0, 50)};
  EXPECT_FLOAT_EQ(second_face_ratio(faces), 0.25f);
  EXPECT_FLOAT_EQ(second_face_ratio(std::span(faces).first(1)), 0);
}

}  // namespace
}  // namespace visage::capture
