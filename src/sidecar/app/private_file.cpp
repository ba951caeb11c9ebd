#include "sidecar/app/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace visage::sidecar {
namespace {

PrivateFile refuse(Status& why, Status status) {
  why = status;
  return PrivateFile::kRefused;
}

PrivateFile read_open_file(int file, const std::string& path, size_t limit, WipedString& out, Status& why) {
  struct stat facts {};
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode))
    return refuse(why, Status::error(Code::kInvalidArgument, "%s is not a regular file", path.c_str()));
  const mode_t open_to = facts.st_mode & (facts.st_uid == 0 ? S_IRWXO | S_IWGRP : S_IRWXO | S_IRWXG);
  if (open_to != 0)
    return refuse(why,
                  Status::error(Code::kInvalidArgument, "%s is open to others (mode %04o); chmod 0600 it",
                                path.c_str(), facts.st_mode & 07777U));
  if (static_cast<size_t>(facts.st_size) > limit)
    return refuse(why,
                  Status::error(Code::kInvalidArgument, "%s is longer than %zu bytes", path.c_str(), limit));
  out.resize(static_cast<size_t>(facts.st_size));
  size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = read(file, out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  out.resize(filled);
  return PrivateFile::kRead;
}

}  // namespace

PrivateFile read_private_file(const std::string& path, size_t limit, WipedString& out, Status& why) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) {
    const int reason = errno;
    why = Status::error(Code::kInvalidArgument, "cannot read %s: %s", path.c_str(), std::strerror(reason));
    return reason == ENOENT ? PrivateFile::kMissing : PrivateFile::kRefused;
  }
  const PrivateFile result = read_open_file(file, path, limit, out, why);
  close(file);
  return result;
}

}  // namespace visage::sidecar
