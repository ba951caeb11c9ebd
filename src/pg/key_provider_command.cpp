// command:<argv> — a program that prints the keys, as ssl_passphrase_command does. Run by the shell, once a
// load.
#include "core/base/secret.h"
#include "pg/key_provider.h"

extern "C" {
#include "storage/fd.h"
}

namespace visage::pg {
namespace {

int run_command(const char* setting, const char* command, char* out, size_t capacity, int elevel) {
  // Not OpenPipeStream's caller-visible errors: its messages hold the command only, never its output.
  FILE* pipe = OpenPipeStream(command, "r");
  if (pipe == nullptr) {
    ereport(elevel, (errcode_for_file_access(), errmsg("%s: could not run the key command: %m", setting)));
    return -1;
  }
  setvbuf(pipe, nullptr, _IONBF, 0);  // no copy of the keys in a stdio buffer
  size_t done = 0;
  while (done < capacity) {
    const size_t part = fread(out + done, 1, capacity - done, pipe);
    if (part == 0) break;
    done += part;
  }
  const bool failed = ferror(pipe) != 0;
  const int exit_status = ClosePipeStream(pipe);
  // Before the exit status: a command that is cut off fails by SIGPIPE, which would hide the reason.
  if (done == capacity) {
    wipe(out, capacity);
    ereport(elevel, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                     errmsg("%s: the key command printed more than %zu bytes", setting, capacity - 1),
                     errhint("It prints one line a key, \"<version> <hex>\", and nothing else.")));
    return -1;
  }
  if (failed || exit_status != 0) {
    wipe(out, capacity);
    ereport(elevel, (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("%s: the key command failed", setting),
                     exit_status > 0 ? errdetail_internal("%s", wait_result_to_str(exit_status)) : 0,
                     errhint("Run it by hand as the server's operating system user; it must print lines of "
                             "\"<version> <hex>\" and exit with 0.")));
    return -1;
  }
  return static_cast<int>(done);
}

}  // namespace

const KeyProvider kCommandKeyProvider = {"command", run_command};

}  // namespace visage::pg
