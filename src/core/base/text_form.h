// Text form of an envelope: standard base64 (RFC 4648 section 4, padded) of the bytes followed by their
// CRC-32C (Castagnoli, little-endian). The checksum tells a copying mistake from a wrong key before any key
// is touched; it protects against nothing else.
#pragma once

#include <cstddef>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage {

uint32_t crc32c(Bytes bytes);

// Characters that encode_text writes, without a terminating zero.
size_t encoded_text_size(size_t byte_count);
void encode_text(Bytes bytes, char* out);

// Upper bound on the bytes that decode_text writes for `text_size` characters.
size_t decoded_bound(size_t text_size);
// kMalformed when the text is not base64, is too short for a checksum, or its checksum differs.
Status decode_text(std::string_view text, MutableBytes out, size_t& size);

}  // namespace visage
