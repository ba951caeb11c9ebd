#include "core/base/text_form.h"

#include <array>

#include "core/base/base64.h"
#include "core/base/secret.h"

namespace visage {
namespace {

constexpr size_t kChecksumSize = 4;

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82F63B78u : 0u);
    table[i] = value;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

}  // namespace

uint32_t crc32c(Bytes bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (uint8_t byte : bytes) crc = kCrcTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return crc ^ 0xFFFFFFFFu;
}

size_t encoded_text_size(size_t byte_count) {
  return base64_size(byte_count + kChecksumSize);
}

void encode_text(Bytes bytes, char* out) {
  // Whole groups from where they are; what is left of them joins the checksum.
  const Bytes whole = bytes.first(bytes.size() / 3 * 3), rest = bytes.subspan(whole.size());
  encode_base64(whole, out);
  Secret<KeyBytes<2 + kChecksumSize>> end;  // a source key passes here
  Writer writer(end.value.span());
  writer.bytes(rest);
  writer.number(crc32c(bytes));
  encode_base64(writer.written(), out + base64_size(whole.size()));
}

size_t decoded_bound(size_t text_size) {
  return text_size / 4 * 3;
}

Status decode_text(std::string_view text, MutableBytes out, size_t& size) {
  size = 0;
  if (text.size() % 4 != 0 || text.size() < encoded_text_size(0))
    return Status::error(Code::kMalformed, "text of %zu characters is not padded base64 with a checksum",
                         text.size());
  size_t written = 0;
  VISAGE_TRY(decode_base64(text, out, written));
  uint32_t stored;
  std::memcpy(&stored, out.data() + written - kChecksumSize, kChecksumSize);
  if (stored != crc32c({out.data(), written - kChecksumSize}))
    return Status::error(Code::kMalformed, "checksum differs: the text was altered or cut");
  size = written - kChecksumSize;
  return {};
}

}  // namespace visage
