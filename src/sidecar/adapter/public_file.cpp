#include "sidecar/adapter/public_file.h"

#include <fstream>
#include <iterator>

namespace visage::sidecar::adapter {

Status read_public_file(const std::string& path, std::string& out) {
  constexpr std::streamsize kMost = 64 * 1024;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::error(Code::kInvalidArgument, "cannot read %s", path.c_str());
  out.resize(kMost);
  file.read(out.data(), kMost);
  out.resize(static_cast<size_t>(file.gcount()));
  return {};
}

}  // namespace visage::sidecar::adapter
