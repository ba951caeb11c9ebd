// Key file: an answer to any text.
#include "core/keys/roots.h"

#include <string_view>

#include "target.h"

VISAGE_FUZZ_TARGET(roots) {
  using namespace visage;
  keys::RootSet roots;
  const Status status =
      keys::parse_roots(fuzz::engine(), {reinterpret_cast<const char*>(input.data()), input.size()}, roots);
  if (!status.ok()) {
    fuzz::require(status.code == Code::kKeyInvalid && roots.count == 0);
    return;
  }
  fuzz::require(roots.count >= 1 && roots.count <= keys::kMaxRoots);
  for (uint32_t i = 0; i < roots.count; ++i) {
    const keys::Root& root = roots.roots[i];
    fuzz::require(root.version != 0 && root.size >= keys::kMinRootSize && root.size <= keys::kMaxRootSize);
    fuzz::require(i == 0 || roots.roots[i - 1].version < root.version);
    fuzz::require(roots.find(root.version) == &root);
  }
}
