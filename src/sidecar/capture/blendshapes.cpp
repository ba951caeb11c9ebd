#include "sidecar/capture/blendshapes.h"

namespace visage::capture {
namespace {

// The points that the network was trained on, in the order of its input.
constexpr uint16_t kInput[] = {
    0,   1,   4,   5,   6,   7,   8,   10,  13,  14,  17,  21,  33,  37,  39,  40,  46,  52,  53,  54,  55,
    58,  61,  63,  65,  66,  67,  70,  78,  80,  81,  82,  84,  87,  88,  91,  93,  95,  103, 105, 107, 109,
    127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163,
    168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283,
    284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334,
    336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389,
    390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477};
constexpr size_t kPoints = std::size(kInput);
static_assert(kPoints == 146);

}  // namespace

std::unique_ptr<BlendshapeNetwork> BlendshapeNetwork::create(std::unique_ptr<Session> session,
                                                             std::string& error) {
  if (session->inputs()[0] != Shape{1, kPoints, 2} || session->outputs().size() != 1 ||
      session->output_size(0) != kBlendshapes) {
    error = "not a blendshape network on 146 points";
    return nullptr;
  }
  return std::unique_ptr<BlendshapeNetwork>(new BlendshapeNetwork(std::move(session)));
}

Status BlendshapeNetwork::read(const Mesh& mesh, Blendshapes& out) const {
  WipedVector<float> input(2 * kPoints);
  for (size_t i = 0; i < kPoints; ++i) {
    input[2 * i] = mesh.points[kInput[i]].x;
    input[2 * i + 1] = mesh.points[kInput[i]].y;
  }
  const std::span<float> outputs[] = {out};
  return session_->run(input, outputs);
}

}  // namespace visage::capture
