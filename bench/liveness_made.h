// Presentations made by code from one portrait: films of a head that moves, prints, screens, recordings, and
// depth maps of heads and of what stands in for them. Made, not captured: they prove that a method sees what
// it is there for, and no more.
#pragma once

#include <opencv2/core.hpp>
#include <random>
#include <string>
#include <vector>

#include "sidecar/capture/mesh.h"
#include "sidecar/quality/depth.h"

namespace visage::bench {

using Random = std::mt19937_64;

inline float uniform(Random& random, float low, float high) {
  return std::uniform_real_distribution<float>(low, high)(random);
}

// Degrees and shares; positive yaw: to the person's left, positive pitch: down.
struct Pose {
  float yaw = 0, pitch = 0, blink = 0, open = 0, smile = 0;
};

class Puppet {
 public:
  Puppet(const cv::Mat& portrait, const capture::Mesh& mesh);
  // The portrait with its head turned: triangles of the mesh, seen from elsewhere.
  cv::Mat show(const Pose& pose) const;

 private:
  cv::Mat portrait_, shut_;  // as it is, and with its eyes shut
  capture::Mesh mesh_;
  std::vector<cv::Vec3i> triangles_;
  std::vector<capture::Point> from_;  // points of the mesh, then of the frame around it
};

// A flat picture turned in space.
cv::Mat turn_flat(const cv::Mat& picture, float yaw, float pitch);
// What a camera makes of a scene: an unsteady hand, noise of its own in every frame, JPEG.
std::vector<uint8_t> shoot(const cv::Mat& scene, Random& random, float noise = 2.5f);
std::vector<uint8_t> encode(const cv::Mat& picture, int quality);

cv::Mat printed(const cv::Mat& picture, Random& random);  // dots of a print, its narrow range, a colour cast
cv::Mat on_screen(const cv::Mat& picture, Random& random);  // pixels beating with the camera's, gamma
cv::Mat cut_out(const cv::Mat& picture, const capture::Mesh& mesh,
                Random& random);  // before another background

enum class Shape {
  kHead,      // an ellipsoid with a nose
  kMeshHead,  // the mesh network's guess of the very face
  kPlane,
  kBent,
  kFolded,
  kPierced,  // flat or bent paper with somebody's nose through it
  kHollow,
  kUniform,
  kSmooth,
  kElsewhere
};
// Aligned with the portrait.
quality::DepthFrame make_depth(Shape shape, cv::Size size, const capture::Mesh& mesh, Random& random);

}  // namespace visage::bench
