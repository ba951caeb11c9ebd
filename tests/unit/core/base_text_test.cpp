// Base64 and UTF-8, by their RFCs.
#include "core/base/base64.h"
#include "core/base/utf8.h"
#include "support.h"

namespace visage {
namespace {

using test::Buffer;

std::string encoded(Bytes bytes) {
  std::string text(base64_size(bytes.size()), ' ');
  encode_base64(bytes, text.data());
  return text;
}

Status decode(std::string_view text, Buffer& out) {
  out.assign(text.size() / 4 * 3, 0xEE);
  size_t size = 77;
  const Status status = decode_base64(text, out, size);
  out.resize(size);
  return status;
}

// RFC 4648, section 10.
TEST(BaseBase64, PublishedVectors) {
  const std::string whole = "foobar";
  const char* const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (size_t size = 0; size <= whole.size(); ++size) {
    const Bytes bytes = as_bytes(whole).first(size);
    EXPECT_EQ(encoded(bytes), texts[size]);
    Buffer out;
    ASSERT_OK(decode(texts[size], out));
    EXPECT_EQ(out, Buffer(bytes.begin(), bytes.end()));
  }
}

TEST(BaseBase64, WhatDecodesIsTheOnlyTextOfItsBytes) {
  std::mt19937_64 random(61);
  for (size_t size = 1; size < 60; ++size) {
    const std::string text = encoded(test::random_bytes(random, size));
    for (size_t at = 0; at < text.size(); ++at)
      for (int c = 0; c < 256; ++c) {
        std::string changed = text;
        changed[at] = static_cast<char>(c);
        Buffer out;
        if (decode(changed, out).ok()) {
          ASSERT_EQ(encoded(out), changed);
        }
      }
  }
}

TEST(BaseBase64, RefusesEverythingElse) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zm9vZg==Zm9v", "Zh==", "Zm9=", "Zm 9",
                           "Zm9\n", "Zm9-", "Zm9_", "=Zm9", "Z=m9"}) {
    Buffer out;
    EXPECT_EQ(decode(text, out).code, Code::kMalformed) << text;
    EXPECT_TRUE(out.empty());
  }
  uint8_t small[5];
  size_t size;
  EXPECT_EQ(decode_base64("Zm9vYmFy", small, size).code, Code::kInternal);
  EXPECT_OK(decode_base64("Zm9vYmE=", small, size));
}

// The points of a text; -1 at the end when it is broken.
std::vector<int64_t> points(std::string_view text) {
  std::vector<int64_t> made;
  for (uint32_t point; !text.empty();) {
    if (!take_code_point(text, point)) return made.push_back(-1), made;
    made.push_back(point);
  }
  return made;
}

// RFC 3629: the borders of each length, and what sections 3 and 10 forbid.
TEST(BaseUtf8, TakesWhatIsWellFormed) {
  using Points = std::vector<int64_t>;
  EXPECT_EQ(points(std::string_view("\0\x7f", 2)), (Points{0, 0x7f}));
  EXPECT_EQ(points("\xC2\x80\xDF\xBF"), (Points{0x80, 0x7ff}));
  EXPECT_EQ(points("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"),
            (Points{0x800, 0xd7ff, 0xe000, 0xffff}));
  EXPECT_EQ(points("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), (Points{0x10000, 0x10ffff}));
  for (const char* text : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
                           "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE",
                           "\xFF", "\xC2", "\xE2\x80", "\xF0\x90\x80", "\xC2\x41", "\xE2\x80\x41"})
    EXPECT_EQ(points(text).back(), -1) << test::to_hex(as_bytes(text));
}

}  // namespace
}  // namespace visage
