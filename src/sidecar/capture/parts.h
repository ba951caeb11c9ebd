// What a Pipeline is made of; seen by pipeline.cpp and loader.cpp only.
#pragma once

#include "sidecar/capture/blendshapes.h"
#include "sidecar/capture/detector.h"
#include "sidecar/capture/feature.h"
#include "sidecar/capture/liveness.h"
#include "sidecar/capture/mesh.h"
#include "sidecar/capture/pipeline.h"
#include "sidecar/liveness/observation.h"
#include "sidecar/quality/assess.h"

namespace visage::capture {

// What one look at a picture gives: the faces in it and the main one's mesh.
struct Sight {
  cv::Mat picture;
  std::vector<Detection> faces;  // confirmed by the mesh, most prominent first
  Mesh mesh;                     // of the first
  Blendshapes shapes{};          // likewise; filled by whoever needs it
};

Failure broken(const Status& status);
inline Region region(const Box& box) {
  return {box.x, box.y, box.width, box.height};
}

struct Pipeline::Parts {
  Limits limits;
  std::string model_id;
  std::unique_ptr<Detector> detector;
  std::unique_ptr<Mesher> mesher;
  std::unique_ptr<Recogniser> recogniser;
  std::unique_ptr<Liveness> liveness;
  std::unique_ptr<BlendshapeNetwork> blendshapes;

  // Leaves in `faces` those that the mesh confirms, most prominent first, and fits the first one's mesh
  // twice.
  Status locate(const cv::Mat& picture, std::vector<Detection>& faces, Mesh& mesh) const;
  // Decodes and finds; kNoFace when there is none.
  std::optional<Failure> look(Bytes image, Sight& out, Timings& timings) const;
  std::optional<Failure> inspect(const InspectRequest& request, Inspection& out) const;
  std::optional<Failure> observe(const SequenceFrame& frame, liveness::Observation& out) const;
  std::optional<Failure> add(const SequenceFrame& frame, Sequence::Frames& frames) const;
  std::optional<Failure> judge(const Sequence::Frames& frames, const SequenceRequest& request,
                               const Options& options, Capture& out, Judgement& judgement) const;
  std::optional<Failure> run(Bytes image, const Options& options, Capture& out) const;
};

}  // namespace visage::capture
