// Pipeline::load: files to networks, with every fault named at once, so that an operator repairs them in one
// go.
#include <chrono>
#include <cstdio>
#include <fstream>

#include "core/crypto/engine.h"
#include "sidecar/capture/parts.h"

namespace visage::capture {
namespace {

constexpr const char* kRuntimeFile = "runtime/lib/libonnxruntime.so.1";
constexpr int kNetworks = 5;

std::string hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    text += pair;
  }
  return text;
}

class Loader {
 public:
  explicit Loader(const Settings& settings) : settings_(settings) {}

  // One network: read, load, check its shape. Null when it failed; `missing` then has a line about it.
  template <typename Part>
  std::unique_ptr<Part> load(const char* file, std::string* sha256 = nullptr) {
    const auto start = std::chrono::steady_clock::now();
    const std::string position = " (" + std::to_string(++number_) + "/" + std::to_string(kNetworks) + ")";
    say(std::string("loading ") + file + position);
    std::vector<uint8_t> bytes;
    std::string error;
    std::unique_ptr<Part> part;
    if (!read(file, bytes)) {
      error = std::string(file) + ": missing or unreadable in " + settings_.models;
    } else if (runtime_ != nullptr) {
      if (sha256 != nullptr) *sha256 = digest(bytes);
      if (std::unique_ptr<Session> session = Session::load(runtime_, bytes, file, settings_.threads, error))
        part = Part::create(std::move(session), error);
      if (part == nullptr && error.rfind(file, 0) != 0) error = std::string(file) + ": " + error;
    }
    if (part == nullptr) {
      if (!error.empty()) missing_.push_back(error);
      return nullptr;
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    say(std::string("loaded ") + file + position + " in " + std::to_string(std::lround(took.count())) +
        " ms");
    return part;
  }

  void open_runtime() {
    std::string error;
    runtime_ = Runtime::open(settings_.models + "/" + kRuntimeFile, error);
    if (runtime_ == nullptr) missing_.push_back(error);
  }

  std::vector<std::string>& missing() { return missing_; }

 private:
  static std::string digest(const std::vector<uint8_t>& bytes) {
    uint8_t value[crypto::kDigestSize];
    crypto::sha256(bytes, value);
    return hex(value);
  }

  bool read(const char* file, std::vector<uint8_t>& bytes) const {
    std::ifstream stream(settings_.models + "/" + file, std::ios::binary | std::ios::ate);
    if (!stream || stream.tellg() <= 0) return false;
    bytes.resize(static_cast<size_t>(stream.tellg()));
    stream.seekg(0);
    return static_cast<bool>(
        stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())));
  }

  void say(const std::string& text) const {
    if (settings_.progress) settings_.progress(text);
  }

  const Settings& settings_;
  std::shared_ptr<const Runtime> runtime_;
  std::vector<std::string> missing_;
  int number_ = 0;
};

}  // namespace

Pipeline::Loaded Pipeline::load(const Settings& settings) {
  Loaded loaded;
  try {
    prepare_opencv();
    Loader loader(settings);
    auto parts = std::make_unique<Parts>();
    std::string sha256;
    parts->limits = settings.limits;
    loader.open_runtime();
    parts->detector = loader.load<Detector>("blazeface_back.onnx");
    parts->mesher = loader.load<Mesher>("face_landmarks_detector.onnx");
    parts->recogniser = loader.load<Recogniser>("sface.onnx", &sha256);
    parts->liveness = loader.load<Liveness>("anti_spoof.onnx");
    parts->blendshapes = loader.load<BlendshapeNetwork>("face_blendshapes.onnx");
    parts->model_id = feature_model_id(sha256);
    loaded.missing = std::move(loader.missing());
    if (loaded.missing.empty()) loaded.pipeline.reset(new Pipeline(std::move(parts)));
  } catch (const std::exception& error) {
    loaded.missing.push_back(std::string("loading failed: ") + error.what());
  }
  return loaded;
}

}  // namespace visage::capture
