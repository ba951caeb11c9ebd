// Pipeline::inspect: quality alone.
#include "sidecar/capture/parts.h"
#include "sidecar/capture/stopwatch.h"
#include "sidecar/liveness/movement.h"
#include "sidecar/quality/draw.h"

namespace visage::capture {
namespace {

void mark(const Mesh& mesh, const Blendshapes& shapes, Inspection& out) {
  for (const Point& p : mesh.points) out.points.push_back({p.x, p.y});
  const quality::Pose pose = quality::estimate_pose(mesh);
  if (!pose.known) return;
  out.origin = {pose.origin.x, pose.origin.y};
  for (size_t i = 0; i < 3; ++i)
    out.axes[i] = {pose.origin.x + pose.axes[i].x, pose.origin.y + pose.axes[i].y};
  for (size_t i = 0; i < challenge::kMovements; ++i)
    out.extents[i] = liveness::extent(pose, shapes, static_cast<challenge::Movement>(i));
}

}  // namespace

std::optional<Failure> Pipeline::inspect(const InspectRequest& request, Inspection& out) const {
  try {
    return parts_->inspect(request, out);
  } catch (const std::exception&) {  // memory; OpenCV on something unforeseen
    return Failure{FailureCode::kFeatureFailed, "out of memory or an unforeseen picture"};
  }
}

std::optional<Failure> Pipeline::Parts::inspect(const InspectRequest& request, Inspection& out) const {
  Sight sight;
  std::optional<Failure> failure = look(request.image, sight, out.timings);
  out.image_width = sight.picture.cols;
  out.image_height = sight.picture.rows;
  out.faces_found = static_cast<int>(sight.faces.size());
  if (failure) return failure;
  out.main_face = region(sight.faces.front().box);
  quality::DepthFrame depth;
  if (!request.depth.empty()) {
    out.failed_part = "depth";
    const Stopwatch watch(out.timings.decode);
    if (failure = quality::read_depth(request.depth, request.depth_settings, limits, depth); failure)
      return failure;
    out.failed_part = "image";
  }
  {
    const Stopwatch watch(out.timings.expression);
    if (const Status status = blendshapes->read(sight.mesh, sight.shapes); !status.ok())
      return broken(status);
  }
  mark(sight.mesh, sight.shapes, out);
  if (!request.measure) return std::nullopt;
  const quality::Scene scene{sight.picture, request.image, sight.faces,
                             sight.mesh,    &sight.shapes, request.depth.empty() ? nullptr : &depth};
  const Stopwatch watch(out.timings.quality);
  const quality::View view(scene);
  quality::assess(view, out.readings);
  if (request.draw != nullptr) quality::draw(view, quality::judge(out.readings, *request.draw), out.drawing);
  return std::nullopt;
}

}  // namespace visage::capture
