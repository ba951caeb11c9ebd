// Reads files that hold secrets.
#pragma once

#include <string>

#include "core/base/status.h"
#include "sidecar/app/wiped.h"

namespace visage::sidecar {

enum class PrivateFile {
  kRead,
  kMissing,  // no such file: the daemon may run without it and say so
  kRefused,  // readable by others, not a regular file, too long, unreadable
};

// Reads a small file. `why` names the file and what to do when the answer is not kRead.
// Refused when group or others may read it, because a key that two accounts can read has no owner. A group
// that holds it on purpose (0640 root:visaged) is allowed only when the owner is root.
PrivateFile read_private_file(const std::string& path, size_t limit, WipedString& out, Status& why);

}  // namespace visage::sidecar
