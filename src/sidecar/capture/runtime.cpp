#include "sidecar/capture/runtime.h"

#include <dlfcn.h>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

namespace visage::capture {
namespace {

// The oldest table with everything that session.cpp calls.
constexpr uint32_t kApiVersion = 18;

}  // namespace

std::shared_ptr<const Runtime> Runtime::open(const std::string& path, std::string& error) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    error = dlerror();
    return nullptr;
  }
  using GetBase = const OrtApiBase* (*)();
  const auto get_base = reinterpret_cast<GetBase>(dlsym(library, "OrtGetApiBase"));
  const OrtApi* api = get_base == nullptr ? nullptr : get_base()->GetApi(kApiVersion);
  if (api == nullptr) {
    error = path + ": not ONNX Runtime 1.18 or newer";
    return nullptr;
  }
  OrtEnv* env = nullptr;
  if (OrtStatus* status = api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "visage", &env)) {
    error = path + ": " + api->GetErrorMessage(status);
    api->ReleaseStatus(status);
    return nullptr;
  }
  if (OrtStatus* status = api->DisableTelemetryEvents(env)) api->ReleaseStatus(status);
  return std::shared_ptr<const Runtime>(new Runtime(api, env));
}

Runtime::~Runtime() {
  api_->ReleaseEnv(env_);
}

}  // namespace visage::capture
