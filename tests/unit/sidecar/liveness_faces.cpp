#include "liveness_faces.h"

#include <Eigen/Geometry>
#include <cmath>
#include <random>

namespace visage::liveness::test {
namespace {

// An ellipsoid with a nose, in px: indices of the mesh with their places across and down.
struct Place {
  uint16_t index;
  float x, y;
};
constexpr Place kPlaces[] = {
    {33, -50, -10}, {133, -19, -8}, {362, 19, -8}, {263, 50, -10}, {168, 0, -13},  {6, 0, -5},
    {197, 0, 4},    {195, 0, 12},   {5, 0, 20},    {4, 0, 30},     {1, 0, 38},     {129, -25, 31},
    {358, 25, 31},  {117, -60, 8},  {346, 60, 8},  {50, -50, 25},  {280, 50, 25},  {123, -65, 20},
    {352, 65, 20},  {234, -80, 11}, {454, 80, 11}, {10, 0, -71},   {67, -40, -67}, {297, 40, -67},
    {172, -62, 70}, {397, 62, 70},
};

float depth(float x, float y) {
  const float r = std::min(1.0f, x * x / (95 * 95) + y * y / (130 * 130));
  const float body = 100 * (1 - std::sqrt(1 - r));
  return body - 32 * std::exp(-(x * x / 288 + (y - 28) * (y - 28) / 450));
}

}  // namespace

Observation make_face(const Gesture& gesture, int64_t time_us, int person) {
  constexpr float kRadians = static_cast<float>(M_PI / 180);
  Observation out;
  out.time_us = time_us;
  out.faces = 1;
  out.size = {640, 480};
  out.box = {250, 150, 150, 160};
  out.pose.known = true;
  out.pose.yaw = gesture.yaw;
  out.pose.pitch = gesture.pitch;
  const Eigen::Matrix3f turn = (Eigen::AngleAxisf(-gesture.yaw * kRadians, Eigen::Vector3f::UnitY()) *
                                Eigen::AngleAxisf(gesture.pitch * kRadians, Eigen::Vector3f::UnitX()))
                                   .toRotationMatrix();
  for (const Place& place : kPlaces) {
    const Eigen::Vector3f p =
        turn * Eigen::Vector3f(place.x, place.y, gesture.flat ? 0 : depth(place.x, place.y));
    const float perspective = 800 / (800 + p.z());
    out.mesh.points[place.index] = {320 + perspective * p.x(), 240 + perspective * p.y()};
    out.mesh.depth[place.index] = p.z();
  }
  out.shapes[capture::kEyeBlinkLeft] = out.shapes[capture::kEyeBlinkRight] = gesture.blink;
  out.shapes[capture::kJawOpen] = gesture.open;
  out.shapes[capture::kMouthSmileLeft] = out.shapes[capture::kMouthSmileRight] = gesture.smile;
  out.live = 0.9f;
  out.peaks = 4;
  out.skin = {0.3f, 0.2f, 0.15f};
  out.background = {0.4f, 0.4f, 0.4f};
  std::mt19937 random(static_cast<unsigned>(person) + 1);
  std::normal_distribution<float> normal;
  float norm = 0;
  for (int i = 0; i < 128; ++i) {
    out.feature.push_back(normal(random));
    norm += out.feature.back() * out.feature.back();
  }
  for (float& value : out.feature) value /= std::sqrt(norm);
  // Every frame has noise of its own.
  random.seed(static_cast<unsigned>(time_us) * 31 + 7);
  for (uint8_t& byte : out.pixels) byte = static_cast<uint8_t>(random());
  out.grain.resize(kGrain * kGrain);
  for (float& value : out.grain) value = 2 * normal(random);
  return out;
}

std::vector<Observation> make_film(const std::vector<Gesture>& gestures, int person) {
  std::vector<Observation> film;
  const auto add = [&](const Gesture& g) {
    film.push_back(make_face(g, 100'000 * static_cast<int64_t>(film.size() + 1), person));
  };
  const auto rest = [&] {
    for (int i = 0; i < 4; ++i) add({});
  };
  rest();
  for (const Gesture& g : gestures) {
    for (const float share : {0.5f, 1.0f, 0.5f})
      add({share * g.yaw, share * g.pitch, share * g.blink, share * g.open, share * g.smile, g.flat});
    rest();
  }
  return film;
}

}  // namespace visage::liveness::test
