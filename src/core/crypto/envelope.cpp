#include "core/crypto/envelope.h"

namespace visage::crypto {

void write_beginning(Writer& writer, const Envelope& envelope, Suite suite, uint8_t own) {
  writer.number(envelope.kind);
  writer.number(envelope.version);
  writer.number(suite);
  writer.number(own);
}

Status read_beginning(Reader& reader, const Envelope& envelope, Suite& suite, uint8_t& own) {
  const auto kind = reader.number<char>();
  const auto version = reader.number<uint8_t>();
  const auto number = reader.number<uint8_t>();
  own = reader.number<uint8_t>();
  if (!reader.ok() || kind != envelope.kind)
    return Status::error(Code::kMalformed, "not a %s", envelope.name);
  if (version != envelope.version || !known_suite(number))
    return Status::error(Code::kUnsupported, "%s of version %u, suite %u", envelope.name, version, number);
  suite = static_cast<Suite>(number);
  return {};
}

}  // namespace visage::crypto
