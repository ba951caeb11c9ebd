// Standard base64 with padding (RFC 4648, section 4): no line breaks, unused bits zero, so bytes have one
// text.
#pragma once

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage {

constexpr size_t base64_size(size_t byte_count) {
  return (byte_count + 2) / 3 * 4;
}
// Writes base64_size(bytes.size()) characters, without a terminating zero.
void encode_base64(Bytes bytes, char* out);
// kMalformed names the first character that is wrong. `out` has room for three bytes of each four
// characters.
Status decode_base64(std::string_view text, MutableBytes out, size_t& size);

}  // namespace visage
