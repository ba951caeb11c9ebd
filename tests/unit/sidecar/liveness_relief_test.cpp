// Shapes in depth maps.   [6.1.2e]
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "sidecar/liveness/relief.h"

namespace visage::liveness {
namespace {

using Shape = std::function<float(float x, float y)>;  // mm from the middle → mm away from the camera

float head(float x, float y) {
  return 400 + 95 * (1 - std::sqrt(std::max(0.0f, 1 - x * x / (78 * 78) - y * y / (112 * 112))));
}
float nose(float x, float y) {
  return 20 * std::exp(-(x * x / 170 + (y - 12) * (y - 12) / 350));
}
float face(float x, float y) {
  return head(x, y) - nose(x, y);
}

DepthFace sample(const Shape& shape, float noise = 1, const Shape& guess = face) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, noise);
  DepthFace out;
  const auto at = [&](float x, float y) { return Point3(x, y, std::round(shape(x, y) + normal(random))); };
  for (float y = -75; y <= 75; y += 2.5f)
    for (float x = -55; x <= 55; x += 2.5f) {
      if (x * x / (55 * 55) + y * y / (75 * 75) > 1) continue;
      out.surface.push_back(at(x, y));
      if (out.surface.size() % 8 == 0) out.pairs.push_back({out.surface.back(), guess(x, y)});
    }
  out.nose = at(0, 12);
  out.cheeks = {at(-40, 10), at(40, 10)};
  out.eyes = {at(-31, -22), at(31, -22)};
  out.metric = true;
  return out;
}

Reason judge(const Shape& shape, float noise = 1) {
  return judge_depth(measure_relief(sample(shape, noise)), true).reason;
}

TEST(Relief, AHeadPasses) {
  for (const float noise : {0.0f, 1.0f, 3.0f}) EXPECT_EQ(judge(face, noise), Reason::kNone) << noise;
  // Turned, and tilted.
  EXPECT_EQ(judge([](float x, float y) { return face(x, y) + 0.35f * x - 0.2f * y; }), Reason::kNone);
}

TEST(Relief, PlanesFail) {
  EXPECT_EQ(judge([](float, float) { return 400.0f; }), Reason::kPlane);
  EXPECT_EQ(judge([](float x, float y) { return 400 + 0.6f * x + 0.3f * y; }, 3), Reason::kPlane);
}

TEST(Relief, BentPaperFails) {
  for (const float radius : {80.0f, 110.0f, 150.0f, 250.0f})
    for (const float angle : {0.0f, 0.5f, 1.2f, 1.57f}) {
      const auto shape = [=](float x, float y) {
        const float u = std::cos(angle) * x + std::sin(angle) * y;
        return 400 + radius - std::sqrt(std::max(1.0f, radius * radius - u * u));
      };
      const Reason reason = judge(shape, 2);
      EXPECT_TRUE(reason == Reason::kBent || reason == Reason::kPlane)
          << radius << " " << angle << " " << info(reason).name;
    }
  // Folded in the middle, as a photograph with a "nose".
  for (const float fold : {-20.0f, 0.0f, 7.0f})
    EXPECT_EQ(judge([=](float x, float) { return 400 + std::abs(x - fold); }), Reason::kBent) << fold;
}

TEST(Relief, HollowMouldsFail) {
  EXPECT_EQ(judge([](float x, float y) { return 800 - face(x, y); }), Reason::kHollow);
}

TEST(Relief, ABodyWithoutANoseFails) {
  EXPECT_EQ(judge(head), Reason::kNoNose);
}

TEST(Relief, OneNumberIsNoSurface) {
  EXPECT_EQ(judge([](float, float) { return 400.0f; }, 0), Reason::kUniformDepth);
}

TEST(Relief, FacesHaveASize) {
  Relief relief = measure_relief(sample(face));
  EXPECT_NEAR(relief.eyes, 62, 3);
  relief.eyes = 28;  // a doll's
  EXPECT_EQ(judge_depth(relief, true).reason, Reason::kWrongSize);
  EXPECT_EQ(judge_depth(relief, false).reason, Reason::kNone) << "without a focal length nothing has a size";
}

TEST(Relief, PictureAndDepthAgree) {
  // The face of the depth map is not where the picture has it.
  const auto elsewhere = [](float x, float y) {
    return -face(x, y) + 15 * std::sin(x / 9) * std::cos(y / 11);
  };
  EXPECT_EQ(judge_depth(measure_relief(sample(face, 1, elsewhere)), true).reason, Reason::kDepthElsewhere);
}

TEST(Relief, NothingIsDecidedFromHoles) {
  DepthFace holes = sample(face);
  holes.nose.z() = 0;
  EXPECT_EQ(judge_depth(measure_relief(holes), true).verdict, Verdict::kUndetermined);
  EXPECT_EQ(judge_depth(measure_relief({}), true).verdict, Verdict::kUndetermined);
}

}  // namespace
}  // namespace visage::liveness
