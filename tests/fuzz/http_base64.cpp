// Base64 pictures: a text that decodes is the only one of its bytes.
#include <openssl/evp.h>

#include <string>

#include "sidecar/http/base64.h"
#include "target.h"

VISAGE_FUZZ_TARGET(http_base64) {
  using namespace visage;
  using namespace visage::sidecar;
  const auto encode = [](Bytes bytes) {  // not ours: two codecs with one fault would agree
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    text.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()), bytes.data(),
                                                    static_cast<int>(bytes.size()))));
    return text;
  };
  WipedBytes out;
  fuzz::require(http::decode_base64(encode(input), out) &&
                std::equal(out.begin(), out.end(), input.begin(), input.end()));
  if (http::decode_base64(as_text(input), out)) fuzz::require(encode(out) == as_text(input));
}
