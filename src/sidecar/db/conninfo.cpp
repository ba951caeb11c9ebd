#include "sidecar/db/conninfo.h"

#include <libpq-fe.h>

#include <string_view>

namespace visage::sidecar::db {

Status check_conninfo(const std::string& conninfo) {
  char* message = nullptr;
  PQconninfoOption* options = PQconninfoParse(conninfo.c_str(), &message);
  if (options == nullptr) {
    // libpq's message may quote the string, and the string may hold a password.
    PQfreemem(message);
    return Status::error(Code::kInvalidArgument, "--database is not a libpq connection string");
  }
  bool password = false;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option)
    password = password || (std::string_view(option->keyword) == "password" && option->val != nullptr);
  PQconninfoFree(options);
  if (password)
    return Status::error(
        Code::kInvalidArgument,
        "--database holds a password, which others may read; use passfile= or a service file");
  return {};
}

}  // namespace visage::sidecar::db
