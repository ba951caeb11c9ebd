// ONNX Runtime, opened at run time.
//
// The library is loaded with dlopen and asked for its function table through OrtGetApiBase: linking against
// it would stamp the symbol version of one build into ours, while the table is append-only, so that any 1.18
// or newer works.
#pragma once

#include <memory>
#include <string>

#include "core/base/status.h"

struct OrtApi;
struct OrtEnv;

namespace visage::capture {

// Runtimes from 1.30 on keep events on disk and send them to their maker, unless the environment says no
// before they are opened. open() sees to that; a program with threads calls this before it has any
// (setenv(3)).
void forbid_telemetry();

// The loaded library. Lives until the process ends once opened: the runtime does not survive dlclose.
class Runtime {
 public:
  // Opens `path`; `error` says what failed. Null on failure. Does not throw.
  static std::shared_ptr<const Runtime> open(const std::string& path, std::string& error);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const OrtApi& api() const { return *api_; }
  const OrtEnv& env() const { return *env_; }

 private:
  Runtime(const OrtApi* api, OrtEnv* env) : api_(api), env_(env) {}
  const OrtApi* api_;
  OrtEnv* env_;
};

}  // namespace visage::capture
