// What the methods look at: one frame, reduced to numbers. Everything here comes from a face, so what holds
// it wipes it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/secret.h"
#include "core/crypto/engine.h"
#include "sidecar/capture/blendshapes.h"
#include "sidecar/capture/geometry.h"
#include "sidecar/capture/mesh.h"
#include "sidecar/capture/wiping.h"
#include "sidecar/quality/pose.h"

namespace visage::liveness {

// Mean of an area in linear light, 0…1 a channel.
struct Colour {
  float r = 0, g = 0, b = 0;

  float operator[](int channel) const { return channel == 0 ? r : channel == 1 ? g : b; }
};

inline constexpr int kGrain = 96;  // side of the sampled noise, px

struct Observation {
  Observation() = default;
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;
  Observation(Observation&&) = default;
  Observation& operator=(Observation&&) = default;

  // Time of capture on the sender's clock, microseconds; only differences mean anything.
  int64_t time_us = 0;
  int light_step = -1;  // of the colour sequence that was shown; -1: none
  int faces = 0;        // 0: everything below but the digest is empty
  cv::Size size;
  capture::Box box;
  capture::Mesh mesh;
  capture::Blendshapes shapes{};
  quality::Pose pose;
  float live = 0;                       // of the passive network
  float peaks = 0;                      // texture_peaks(): periodic structure
  capture::WipedVector<float> feature;  // unit length
  Colour skin, background;              // around the face, the picture's corners
  std::array<uint8_t, 32> pixels{};     // SHA-256 of what was decoded
  // What is left of the face's middle, pixel by pixel, when its smooth part is taken away, where it is smooth
  // (NaN elsewhere): the noise of the camera. In the face's own frame, so that it follows movement.
  capture::WipedVector<float> grain;
};

using Observations = std::span<const Observation>;

}  // namespace visage::liveness
