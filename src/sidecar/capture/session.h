// One network, loaded: float tensors in, float tensors out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sidecar/capture/runtime.h"
#include "sidecar/capture/wiping.h"

struct OrtMemoryInfo;
struct OrtSession;

namespace visage::capture {

using Shape = std::vector<int64_t>;

// Shared by all threads: run() is const and takes no lock of ours.
class Session {
 public:
  // `model` is the file's bytes, `name` is for messages. Null and `error` set on failure. Does not throw.
  static std::unique_ptr<Session> load(std::shared_ptr<const Runtime> runtime, std::span<const uint8_t> model,
                                       const std::string& name, int threads, std::string& error);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The shapes that the file declares, in its order; 0 where it leaves one open.
  const std::vector<Shape>& inputs() const { return input_shapes_; }
  const std::vector<Shape>& outputs() const { return output_shapes_; }
  size_t output_size(size_t index) const;

  // Runs on one input tensor; writes each output into outputs[i], which holds output_size(i) values.
  Status run(std::span<const float> input, std::span<const std::span<float>> outputs) const;

  // Milliseconds that run() took on this thread, of all networks, since this was asked last.
  static double take_run_time();

 private:
  Session(std::shared_ptr<const Runtime> runtime, std::string name)
      : runtime_(std::move(runtime)), name_(std::move(name)) {}
  std::string create(std::span<const uint8_t> model, int threads);
  std::string describe();

  std::shared_ptr<const Runtime> runtime_;
  std::string name_;
  OrtSession* session_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  std::vector<std::string> input_names_, output_names_;
  std::vector<Shape> input_shapes_, output_shapes_;
};

}  // namespace visage::capture
