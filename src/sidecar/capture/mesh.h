// The face mesh (MediaPipe Face Landmarker): 478 points of one face.
#pragma once

#include <array>
#include <memory>

#include "sidecar/capture/detection.h"
#include "sidecar/capture/session.h"

namespace visage::capture {

inline constexpr size_t kMeshPoints = 478;

struct Mesh {
  std::array<Point, kMeshPoints> points;  // px of the image
  std::array<float, kMeshPoints> depth;   // px too, away from the camera; only differences mean anything
  float presence = 0;                     // probability that the crop held a face, 0…1
};

class Mesher {
 public:
  static std::unique_ptr<Mesher> create(std::unique_ptr<Session> session, std::string& error);

  // `crop` takes the image to the network's square; see mesh_crop().
  Status fit(const cv::Mat& image, const Similarity& crop, Mesh& out) const;

 private:
  explicit Mesher(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  std::unique_ptr<Session> session_;
};

// Crops as MediaPipe makes them: 1.5 × the longer side of the box, turned so that the eyes are level.
Similarity mesh_crop(const Detection& face);
// The same around the points of an earlier fit, which is steadier than the detector's box.
Similarity mesh_crop(const Mesh& mesh);

// Eye centres, nose tip and mouth corners.
FivePoints five_points(const Mesh& mesh);
// Height from the middle of the eyes to the chin, px (T of ISO/IEC 29794-5).
float eyes_to_chin(const Mesh& mesh);

}  // namespace visage::capture
