// Text form: base64 with CRC-32C.
#include "core/base/text_form.h"

#include "support.h"

namespace visage {
namespace {

using test::Buffer;

std::string encoded(Bytes bytes) {
  std::string text(encoded_text_size(bytes.size()), '?');
  encode_text(bytes, text.data());
  return text;
}

Status decoded(std::string_view text, Buffer& out) {
  out.resize(decoded_bound(text.size()));
  size_t size = 0;
  Status status = decode_text(text, out, size);
  out.resize(size);
  return status;
}

// RFC 3720 appendix B.4 and the check value of the CRC catalogue.
TEST(BaseCrc32c, PublishedVectors) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(Buffer(32, 0x00)), 0x8A9136AAu);
  EXPECT_EQ(crc32c(Buffer(32, 0xFF)), 0x62A8AB43u);
  Buffer ascending(32);
  for (size_t i = 0; i < 32; ++i) ascending[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(crc32c(ascending), 0x46DD794Eu);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(BaseTextForm, RoundTripsEverySize) {
  std::mt19937_64 random(1);
  for (size_t size = 0; size <= 64; ++size) {
    const Buffer bytes = test::random_bytes(random, size);
    const std::string text = encoded(bytes);
    EXPECT_EQ(text.size() % 4, 0u);
    Buffer back;
    ASSERT_OK(decoded(text, back)) << size;
    EXPECT_EQ(back, bytes);
  }
}

// One value has one text: whatever else decodes must be what encode_text writes.
TEST(BaseTextForm, EveryOneCharacterChangeIsRefused) {
  std::mt19937_64 random(2);
  for (size_t size : {0u, 1u, 2u, 3u, 31u}) {
    const std::string text = encoded(test::random_bytes(random, size));
    for (size_t i = 0; i < text.size(); ++i) {
      for (int c = 0; c < 256; ++c) {
        std::string changed = text;
        changed[i] = static_cast<char>(c);
        if (changed == text) continue;
        Buffer back;
        ASSERT_EQ(decoded(changed, back).code, Code::kMalformed) << size << ", character " << i << ", " << c;
        ASSERT_TRUE(back.empty());
      }
    }
  }
}

TEST(BaseTextForm, UnusedBitsMustBeZero) {
  // Sizes 0 and 1 end in "==" and "=": the last character before the padding has 4 and 2 unused bits. Only
  // these bits change, so the bytes and their checksum stay right, and the refusal can only come from this
  // rule.
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t size : {0u, 1u}) {
    const std::string text = encoded(Buffer(size, 0xAB));
    const size_t last = text.find('=') - 1;
    const size_t value = alphabet.find(text[last]);
    const size_t unused = size == 0 ? 15 : 3;
    ASSERT_EQ(value & unused, 0u);
    for (size_t bits = 1; bits <= unused; ++bits) {
      std::string changed = text;
      changed[last] = alphabet[value | bits];
      Buffer back;
      const Status status = decoded(changed, back);
      EXPECT_EQ(status.code, Code::kMalformed);
      EXPECT_NE(std::string(status.message).find("invalid base64"), std::string::npos) << status.message;
    }
  }
}

TEST(BaseTextForm, RefusesWhatIsNotPaddedBase64) {
  const std::string text = encoded(Buffer(20, 0x42));
  Buffer back;
  for (size_t cut = 0; cut < text.size(); ++cut)
    EXPECT_EQ(decoded(text.substr(0, cut), back).code, Code::kMalformed) << cut;
  const std::string extras[] = {"A", "=", "AA==", "====", "AAAA", "\n", " ", std::string(1, '\0')};
  for (const std::string& extra : extras) {
    EXPECT_EQ(decoded(text + extra, back).code, Code::kMalformed) << extra;
    EXPECT_EQ(decoded(extra + text, back).code, Code::kMalformed) << extra;
  }
  EXPECT_EQ(decoded(std::string(8, '='), back).code, Code::kMalformed);
  EXPECT_EQ(decoded("AA==AA==AA==", back).code, Code::kMalformed) << "padding only at the end";
  EXPECT_EQ(decoded("", back).code, Code::kMalformed);
}

TEST(BaseTextForm, NamesTheFirstBadCharacter) {
  std::string text = encoded(Buffer(20, 0x42));
  text[6] = '_';  // the URL alphabet is not ours
  Buffer back;
  EXPECT_STREQ(decoded(text, back).message, "invalid base64 at character 7");
}

TEST(BaseTextForm, NeverWritesPastTheBufferItWasGiven) {
  const std::string text = encoded(Buffer(30, 0x42));
  for (size_t capacity = 0; capacity < 34; ++capacity) {
    Buffer out(capacity + 8, 0xEE);
    size_t size = 99;
    EXPECT_EQ(decode_text(text, {out.data(), capacity}, size).code, Code::kInternal);
    EXPECT_EQ(size, 0u);
    for (size_t i = capacity; i < out.size(); ++i) ASSERT_EQ(out[i], 0xEE);
  }
}

}  // namespace
}  // namespace visage
