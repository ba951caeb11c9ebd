#include "sidecar/capture/runtime.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

namespace visage::capture {
namespace {

// The oldest table with everything that session.cpp calls.
constexpr uint32_t kApiVersion = 18;

// Read by the runtime when its environment is made. DisableTelemetryEvents comes after that: too late, as a
// database of events in the home directory, a log in /tmp and a thread that uploads are there by then.
constexpr const char* kTelemetrySwitch = "ORT_DISABLE_TELEMETRY";

}  // namespace

void forbid_telemetry() {
  const char* now = getenv(kTelemetrySwitch);
  if (now == nullptr || std::strcmp(now, "1") != 0) setenv(kTelemetrySwitch, "1", 1);
}

std::shared_ptr<const Runtime> Runtime::open(const std::string& path, std::string& error) {
  forbid_telemetry();
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
