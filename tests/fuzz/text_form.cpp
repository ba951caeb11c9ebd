// Text form, both ways: bytes come back from their text, and a text that decodes is the only one of its
// bytes.
#include "core/base/text_form.h"

#include <string>
#include <vector>

#include "target.h"

VISAGE_FUZZ_TARGET(text_form) {
  using namespace visage;
  const auto encode = [](Bytes bytes) {
    std::string text(encoded_text_size(bytes.size()), ' ');
    encode_text(bytes, text.data());
    return text;
  };
  const auto decode = [](std::string_view text, std::vector<uint8_t>& out) {
    out.resize(decoded_bound(text.size()));
    size_t size = 0;
    const bool ok = decode_text(text, out, size).ok();
    out.resize(size);
    return ok;
  };
  std::vector<uint8_t> out;
  fuzz::require(decode(encode(input), out) && std::equal(out.begin(), out.end(), input.begin(), input.end()));
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  if (decode(text, out)) fuzz::require(encode(out) == text);
}
