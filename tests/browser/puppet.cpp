// puppet <models> <portrait.jpg> <directory>: the portrait at rest and in each movement of a challenge, half
// done and done, as JPEG files: what a false camera shows of a person who does what the page asks for.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <opencv2/imgcodecs.hpp>

#include "liveness_made.h"
#include "sidecar/capture/pipeline.h"
#include "sidecar/liveness/observation.h"

using namespace visage;

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const capture::Pipeline::Loaded loaded = capture::Pipeline::load({.models = argv[1]});
  std::ifstream stream(argv[2], std::ios::binary);
  const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(stream)), {});
  liveness::Observation seen;
  if (!loaded.pipeline || loaded.pipeline->observe({bytes, 0, -1}, seen) || seen.faces == 0) return 1;
  const bench::Puppet puppet(cv::imdecode(bytes, cv::IMREAD_COLOR), seen.mesh);
  constexpr std::pair<const char*, bench::Pose> kMoves[] = {
      {"turn_left", {.yaw = 24}}, {"turn_right", {.yaw = -24}}, {"nod", {.pitch = 20}},
      {"blink", {.blink = 1}},    {"open_mouth", {.open = 1}},  {"smile", {.smile = 1}}};
  for (const auto& [word, p] : kMoves)
    for (const int percent : {0, 50, 100}) {
      const float s = static_cast<float>(percent) / 100;
      const cv::Mat shown = puppet.show({s * p.yaw, s * p.pitch, s * p.blink, s * p.open, s * p.smile});
      const std::string path = std::string(argv[3]) + "/" + word + "-" + std::to_string(percent) + ".jpg";
      if (!cv::imwrite(path, shown, {cv::IMWRITE_JPEG_QUALITY, 95})) return 1;
    }
}
