// Faces that tests make by formula: a head of 38 points in space, turned and seen from the front.
#pragma once

#include <vector>

#include "sidecar/liveness/observation.h"

namespace visage::liveness::test {

struct Gesture {
  float yaw = 0, pitch = 0;              // degrees; positive: to the person's left, down
  float blink = 0, open = 0, smile = 0;  // blendshapes
  bool flat = false;                     // a photograph that is turned, instead of a head
};

// `person` chooses the feature; equal numbers are the same person.
Observation make_face(const Gesture& gesture, int64_t time_us, int person = 0);
// Frames 100 ms apart that lead through the gestures, three frames each, with two at rest between.
std::vector<Observation> make_film(const std::vector<Gesture>& gestures, int person = 0);

}  // namespace visage::liveness::test
