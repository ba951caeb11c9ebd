// This instance's capture source key, as visage.add_capture_source printed it.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "core/base/secret.h"
#include "core/base/status.h"
#include "core/probe/probe.h"

namespace visage::sidecar {

// Reads one key file. It may be missing at start and appear later; a file that others can read, or that holds
// no key, is refused. Thread-safe.
class SourceKeyFile {
 public:
  using Key = Secret<probe::SourceKey>;

  explicit SourceKeyFile(std::string path) : path_(std::move(path)) {}

  // Tries to load; `missing` tells a file that may still come from a file that is wrong.
  Status load(bool& missing);
  // The key, loading it when it is not there yet; null with the reason in `why`.
  std::shared_ptr<const Key> get(Status& why);

 private:
  Status read(bool& missing);

  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<const Key> key_;
};

}  // namespace visage::sidecar
