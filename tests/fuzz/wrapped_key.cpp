// Wrapped subject key, for the owner that its bytes name.
#include "target.h"

VISAGE_FUZZ_TARGET(wrapped_key) {
  using namespace visage;
  uint32_t version = 0;
  if (!keys::wrapped_key_version(input, version).ok()) return;
  fuzz::require(version != 0);
  Reader reader(input);
  reader.take(8);
  keys::Owner owner = {};
  owner.institution = reader.number<uint32_t>();
  owner.subject = reader.uuid();
  keys::SubjectKey key;
  fuzz::require(!keys::unwrap_subject_key(fuzz::engine(), fuzz::ring(), owner, input, key).ok());
}
