// Probe envelope: structure, then opening under a key that is not its own.
#include "core/probe/probe.h"

#include "target.h"

VISAGE_FUZZ_TARGET(probe) {
  using namespace visage;
  probe::Header header;
  if (!probe::parse(input, header).ok()) return;
  fuzz::require(input.size() <= probe::kMaxSize && header.key_version != 0 && header.institution != 0);
  fuzz::require(header.captured_at >= 0 && header.expires_at > header.captured_at);
  const uint8_t key[probe::kSourceKeySize] = {1};
  probe::Contents contents;
  fuzz::require(!probe::open(fuzz::engine(), key, input, header, contents).ok());
}
