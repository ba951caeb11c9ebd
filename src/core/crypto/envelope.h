// What every envelope begins with, docs/formats.md: its kind, its version, its suite, and a byte that is the
// kind's own (0 where nothing is kept in it).
#pragma once

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/crypto/engine.h"

namespace visage::crypto {

struct Envelope {
  char kind;
  uint8_t version;
  const char* name;  // for errors
};

void write_beginning(Writer& writer, const Envelope& envelope, Suite suite, uint8_t own = 0);
// kMalformed for what is too short or of another kind, kUnsupported for a version or suite that this build
// does not know.
Status read_beginning(Reader& reader, const Envelope& envelope, Suite& suite, uint8_t& own);

}  // namespace visage::crypto
