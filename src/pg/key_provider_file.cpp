// file:<path> — a regular file that only its owner can read.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/secret.h"
#include "pg/key_provider.h"

namespace visage::pg {
namespace {

int read_all(int fd, char* out, size_t capacity) {
  size_t done = 0;
  while (done < capacity) {
    const ssize_t part = read(fd, out + done, capacity - done);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return -1;
    if (part == 0) break;
    done += static_cast<size_t>(part);
  }
  return static_cast<int>(done);
}

int read_file(const char* setting, const char* path, char* out, size_t capacity, int elevel) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) {
    const int saved_errno = errno;
    if (fd >= 0) close(fd);
    errno = saved_errno;
    ereport(elevel,
            (errcode_for_file_access(), errmsg("%s: could not read key file \"%s\": %m", setting, path),
             errhint("Create it for the server's operating system user: "
                     "(umask 077; echo \"1 $(openssl rand -hex 32)\" > %s)",
                     path)));
    return -1;
  }
  if (!S_ISREG(info.st_mode)) {
    close(fd);
    ereport(elevel,
            (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("%s: \"%s\" is not a regular file", setting, path),
             errhint("Use a file, or command:<argv> for keys that come from elsewhere.")));
    return -1;
  }
  // The same rule as for ssl_key_file: our own file without group and world rights, or root's, readable by
  // group.
  const mode_t forbidden =
      info.st_uid == 0 && geteuid() != 0 ? (S_IWGRP | S_IXGRP | S_IRWXO) : (S_IRWXG | S_IRWXO);
  if ((info.st_uid != geteuid() && info.st_uid != 0) || (info.st_mode & forbidden) != 0) {
    close(fd);
    ereport(elevel,
            (errcode(ERRCODE_CONFIG_FILE_ERROR),
             errmsg("%s: key file \"%s\" can be read by others or belongs to another user", setting, path),
             errhint("chown it to the server's operating system user and chmod 0600 it; then replace the "
                     "keys if others may have read them.")));
    return -1;
  }
  const int size = read_all(fd, out, capacity);
  const int saved_errno = errno;
  close(fd);
  errno = saved_errno;
  if (size < 0 || static_cast<size_t>(size) == capacity) {
    wipe(out, capacity);
    ereport(elevel, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                     errmsg("%s: key file \"%s\" cannot be read or is longer than %zu bytes", setting, path,
                            capacity - 1),
                     errhint("It holds one line a key: <version> <64 hex digits>.")));
    return -1;
  }
  return size;
}

}  // namespace

const KeyProvider kFileKeyProvider = {"file", read_file};

}  // namespace visage::pg
