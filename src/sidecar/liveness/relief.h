// The shape of a face in a depth map.   [6.1.2e]
#pragma once

#include <array>
#include <vector>

#include "sidecar/liveness/surface_fit.h"
#include "sidecar/liveness/verdict.h"

namespace visage::liveness {

// What was measured of a face. Points that were not measured are left out, and landmarks then have z = 0.
struct DepthFace {
  std::vector<Point3> surface;
  Point3 nose{0, 0, 0};  // its tip
  std::array<Point3, 2> cheeks{Point3(0, 0, 0), Point3(0, 0, 0)};
  std::array<Point3, 2> eyes{Point3(0, 0, 0), Point3(0, 0, 0)};
  bool metric = false;  // the camera's focal length is known, so that x and y are millimetres too
  // Depth at points of the mesh: as measured, and as the mesh network guesses it from the picture alone, in
  // any unit.
  struct Pair {
    Point3 measured;
    float guessed;
  };
  std::vector<Pair> pairs;
};

struct ReliefLimits {
  float plane = 3;          // mm RMS from the best plane; less is flat
  float bent = 2;           // mm RMS from the best surface that paper can take; less is bent paper
  float cheeks = 4;         // mm that the tip of the nose stands out from the line of the cheeks
  float cheeks_most = 100;  // more, and the cheeks are something behind a face
  float nose = 6;           // mm that it stands out from where the cheeks' own curve would put it
  float agreement = 0.5;    // correlation of measured and guessed depth
  float eyes_low = 40, eyes_high = 90;  // mm between the eyes
};

struct Relief {
  bool known = false;
  float range = 0;  // mm between the 5th and the 95th percentile
  float same = 0;   // share of the surface that has one and the same depth
  // As in ReliefLimits. `plane` and `bent` are of the face without its nose: a real nose through a hole in a
  // print must not make a face of it.
  float plane = 0, bent = 0, cheeks = 0, nose = 0, agreement = 0;
  float bulge = 0;  // mm that the middle of the smooth surface is nearer than its rim; negative: hollow
  float eyes = 0;   // mm
};

Relief measure_relief(const DepthFace& face);
Outcome judge_depth(const Relief& relief, bool metric, const ReliefLimits& limits = {});

}  // namespace visage::liveness
