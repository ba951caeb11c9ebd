#include "sidecar/capture/session.h"

#include <array>
#include <utility>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include "sidecar/capture/stopwatch.h"

namespace visage::capture {
namespace {

constexpr size_t kMaxOutputs = 8;

thread_local double run_time = 0;

size_t volume(const Shape& shape) {
  size_t size = 1;
  for (const int64_t side : shape) size *= static_cast<size_t>(side);
  return size;
}

// Takes the status: empty when it was none, its text otherwise.
std::string text_of(const OrtApi& api, OrtStatus* status) {
  if (status == nullptr) return "";
  std::string text = api.GetErrorMessage(status);
  api.ReleaseStatus(status);
  return text.empty() ? "unknown error" : text;
}

// The file's name and shape of one input or output, through a pair of the table's functions.
template <typename GetName, typename GetType>
std::string describe_one(const OrtApi& api, const OrtSession* session, size_t index, GetName get_name,
                         GetType get_type, std::string& name, Shape& shape) {
  OrtAllocator* allocator = nullptr;
  char* text = nullptr;
  OrtTypeInfo* type = nullptr;
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  size_t sides = 0;
  std::string error = text_of(api, api.GetAllocatorWithDefaultOptions(&allocator));
  if (error.empty()) error = text_of(api, get_name(session, index, allocator, &text));
  if (error.empty()) {
    name = text;
    error = text_of(api, api.AllocatorFree(allocator, text));
  }
  if (error.empty()) error = text_of(api, get_type(session, index, &type));
  if (error.empty()) error = text_of(api, api.CastTypeInfoToTensorInfo(type, &tensor));
  if (error.empty() && tensor == nullptr) error = "not a tensor";
  if (error.empty()) error = text_of(api, api.GetDimensionsCount(tensor, &sides));
  if (error.empty()) {
    shape.resize(sides);
    error = text_of(api, api.GetDimensions(tensor, shape.data(), sides));
  }
  if (type != nullptr) api.ReleaseTypeInfo(type);
  for (int64_t& side : shape) side = side < 0 ? 0 : side;
  return error;
}

}  // namespace

std::unique_ptr<Session> Session::load(std::shared_ptr<const Runtime> runtime, std::span<const uint8_t> model,
                                       const std::string& name, int threads, std::string& error) {
  std::unique_ptr<Session> session(new Session(std::move(runtime), name));
  error = session->create(model, threads);
  if (error.empty()) error = session->describe();
  if (error.empty()) return session;
  error = name + ": " + error;
  return nullptr;
}

std::string Session::create(std::span<const uint8_t> model, int threads) {
  const OrtApi& api = runtime_->api();
  OrtSessionOptions* options = nullptr;
  std::string error = text_of(api, api.CreateSessionOptions(&options));
  if (!error.empty()) return error;
  error = text_of(api, api.SetIntraOpNumThreads(options, threads));
  if (error.empty()) error = text_of(api, api.SetInterOpNumThreads(options, 1));
  // A pool thread that spins between calls would eat the core of another request.
  if (error.empty())
    error = text_of(api, api.AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0"));
  // The arena keeps the largest activations of each concurrent call for ever, unwiped; plain allocation costs
  // no measurable time on networks of this size.
  if (error.empty()) error = text_of(api, api.DisableCpuMemArena(options));
  if (error.empty())
    error = text_of(
        api, api.CreateSessionFromArray(&runtime_->env(), model.data(), model.size(), options, &session_));
  api.ReleaseSessionOptions(options);
  if (error.empty())
    error = text_of(api, api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory_));
  return error;
}

std::string Session::describe() {
  const OrtApi& api = runtime_->api();
  size_t inputs = 0, outputs = 0;
  std::string error = text_of(api, api.SessionGetInputCount(session_, &inputs));
  if (error.empty()) error = text_of(api, api.SessionGetOutputCount(session_, &outputs));
  if (error.empty() && (inputs != 1 || outputs < 1 || outputs > kMaxOutputs))
    error = "unexpected inputs or outputs";
  if (!error.empty()) return error;
  input_names_.resize(inputs);
  input_shapes_.resize(inputs);
  output_names_.resize(outputs);
  output_shapes_.resize(outputs);
  error = describe_one(api, session_, 0, api.SessionGetInputName, api.SessionGetInputTypeInfo,
                       input_names_[0], input_shapes_[0]);
  for (size_t i = 0; i < outputs && error.empty(); ++i)
    error = describe_one(api, session_, i, api.SessionGetOutputName, api.SessionGetOutputTypeInfo,
                         output_names_[i], output_shapes_[i]);
  return error;
}

Session::~Session() {
  const OrtApi& api = runtime_->api();
  if (session_ != nullptr) api.ReleaseSession(session_);
  if (memory_ != nullptr) api.ReleaseMemoryInfo(memory_);
}

size_t Session::output_size(size_t index) const {
  return volume(output_shapes_[index]);
}

double Session::take_run_time() {
  return std::exchange(run_time, 0);
}

Status Session::run(std::span<const float> input, std::span<const std::span<float>> outputs) const {
  const Stopwatch watch(run_time);
  const OrtApi& api = runtime_->api();
  if (outputs.size() != output_names_.size() || input.size() != volume(input_shapes_[0]))
    return Status::error(Code::kInternal, "%s: tensor of another size than the network's", name_.c_str());
  // Outputs are tensors over the caller's memory, so that the runtime keeps no copy of them.
  std::array<OrtValue*, kMaxOutputs + 1> values{};
  std::array<const char*, kMaxOutputs> names{};
  const char* input_name = input_names_[0].c_str();
  std::string error =
      text_of(api, api.CreateTensorWithDataAsOrtValue(
                       memory_, const_cast<float*>(input.data()), input.size_bytes(), input_shapes_[0].data(),
                       input_shapes_[0].size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &values[kMaxOutputs]));
  for (size_t i = 0; i < outputs.size() && error.empty(); ++i) {
    names[i] = output_names_[i].c_str();
    if (outputs[i].size() != output_size(i))
      error = "output of another size than the network's";
    else
      error = text_of(api, api.CreateTensorWithDataAsOrtValue(
                               memory_, outputs[i].data(), outputs[i].size_bytes(), output_shapes_[i].data(),
                               output_shapes_[i].size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &values[i]));
  }
  const OrtValue* in = values[kMaxOutputs];
  if (error.empty())
    error = text_of(
        api, api.Run(session_, nullptr, &input_name, &in, 1, names.data(), outputs.size(), values.data()));
  for (OrtValue* value : values)
    if (value != nullptr) api.ReleaseValue(value);
  return error.empty() ? Status() : Status::error(Code::kInternal, "%s: %s", name_.c_str(), error.c_str());
}

}  // namespace visage::capture
