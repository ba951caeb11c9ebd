// Source key text: what decodes must be what encoding it again writes.
#include "core/probe/probe.h"
#include "target.h"

VISAGE_FUZZ_TARGET(source_key) {
  using namespace visage;
  std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  probe::SourceKey key;
  if (!probe::decode_source_key(text, key).ok()) return;
  fuzz::require(key.key_version != 0 && key.institution != 0 && key.generation != 0);
  char again[probe::kMaxSourceKeyText];
  fuzz::require(probe::encode_source_key(key, again, sizeof again).ok());
  text = text.substr(0, text.find_last_not_of(" \r\n") + 1);
  fuzz::require(text == again);
}
