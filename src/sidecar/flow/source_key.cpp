#include "sidecar/flow/source_key.h"

#include <sys/mman.h>

#include "sidecar/app/private_file.h"

namespace visage::sidecar {
namespace {
constexpr size_t kMaxFile = 4096;
}

Status SourceKeyFile::load(bool& missing) {
  const std::lock_guard lock(mutex_);
  return read(missing);
}

Status SourceKeyFile::read(bool& missing) {
  missing = path_.empty();
  if (missing) return Status::error(Code::kInvalidArgument, "no source key: set --source-key-file");
  WipedString text;
  Status why;
  const PrivateFile file = read_private_file(path_, kMaxFile, text, why);
  missing = file == PrivateFile::kMissing;
  if (file != PrivateFile::kRead) return why;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  auto key = std::make_shared<Key>();
  // Best effort: without the privilege to lock memory the key may reach swap, which operations.md says to
  // encrypt.
  (void)mlock(&key->value, sizeof key->value);
  if (const Status status = probe::decode_source_key({text.data(), text.size()}, key->value); !status.ok())
    return Status::error(Code::kKeyInvalid, "%s does not hold what visage.add_capture_source printed: %s",
                         path_.c_str(), status.message);
  key_ = std::move(key);
  return {};
}

std::shared_ptr<const SourceKeyFile::Key> SourceKeyFile::get(Status& why) {
  const std::lock_guard lock(mutex_);
  bool missing = false;
  if (!key_) why = read(missing);
  return key_;
}

}  // namespace visage::sidecar
