// The keys of capture sources and the text that hands one out.
#include <set>

#include "core/base/text_form.h"
#include "support.h"

namespace visage::probe {
namespace {

using test::Buffer;
using test::engine;
using test::ring;

std::string text_of(const SourceKey& key) {
  char text[kMaxSourceKeyText];
  EXPECT_OK(encode_source_key(key, text, sizeof text));
  return text;
}

TEST(ProbeSourceKey, TextRoundTrips) {
  for (crypto::Suite suite : test::kSuites) {
    const SourceKey key = test::source_key(suite);
    const std::string text = text_of(key);
    EXPECT_EQ(text.substr(0, 16), "visage-source-1:");
    SourceKey back;
    ASSERT_OK(decode_source_key(text, back));
    EXPECT_EQ(back.suite, suite);
    EXPECT_EQ(back.key_version, key.key_version);
    EXPECT_EQ(back.institution, key.institution);
    EXPECT_EQ(back.generation, 1u);
    EXPECT_EQ(back.source, key.source);
    EXPECT_EQ(std::memcmp(back.key, key.key, kSourceKeySize), 0);
    ASSERT_OK(decode_source_key(text + "\r\n", back)) << "as read from a file";
  }
}

TEST(ProbeSourceKey, EveryOneCharacterChangeIsRefused) {
  const std::string text = text_of(test::source_key(crypto::Suite::kAes256Gcm));
  for (size_t i = 0; i < text.size(); ++i)
    for (char c : {'A', 'b', '7', '/', '=', ' ', '\0', '\x80'}) {
      std::string changed = text;
      if (changed[i] == c) continue;
      changed[i] = c;
      if (i + 1 == text.size() && c == ' ') continue;  // that is a cut, tested below
      SourceKey back;
      ASSERT_FALSE(decode_source_key(changed, back).ok()) << i << " " << static_cast<int>(c);
    }
  for (size_t size = 0; size < text.size(); ++size) {
    SourceKey back;
    ASSERT_FALSE(decode_source_key(text.substr(0, size), back).ok()) << size;
  }
  SourceKey back;
  EXPECT_FALSE(decode_source_key(text + text, back).ok());
  EXPECT_FALSE(decode_source_key(text + std::string(100000, 'A'), back).ok());
  EXPECT_FALSE(decode_source_key(" " + text, back).ok());
}

// A right checksum is no proof of a right key: the body is checked too.
TEST(ProbeSourceKey, BodyIsChecked) {
  const std::string text = text_of(test::source_key(crypto::Suite::kAes256Gcm));
  Buffer body(decoded_bound(text.size()));
  size_t size = 0;
  ASSERT_OK(decode_text(std::string_view(text).substr(16), body, size));
  body.resize(size);
  const auto decode = [](const Buffer& bytes) {
    std::string encoded(encoded_text_size(bytes.size()), '?');
    encode_text(bytes, encoded.data());
    SourceKey back;
    return decode_source_key("visage-source-1:" + encoded, back).code;
  };
  ASSERT_EQ(decode(body), Code::kOk);
  const struct {
    size_t offset;
    uint32_t value;
    size_t size;
    Code code;
  } edits[] = {{0, 0, 1, Code::kUnsupported}, {0, 2, 1, Code::kUnsupported}, {1, 0, 1, Code::kUnsupported},
               {1, 3, 1, Code::kUnsupported}, {2, 1, 1, Code::kMalformed},   {3, 1, 1, Code::kMalformed},
               {4, 0, 4, Code::kMalformed},   {8, 0, 4, Code::kMalformed},   {12, 0, 4, Code::kMalformed}};
  for (const auto& edit : edits) {
    Buffer edited = body;
    std::memcpy(edited.data() + edit.offset, &edit.value, edit.size);
    EXPECT_EQ(decode(edited), edit.code) << edit.offset << " = " << edit.value;
  }
  for (size_t length = 0; length < 90; ++length) {
    Buffer cut = body;
    cut.resize(length, 0x11);
    EXPECT_EQ(decode(cut) == Code::kOk, length == body.size()) << length;
  }
}

TEST(ProbeSourceKey, DoesNotFitInASmallBuffer) {
  char text[kMaxSourceKeyText];
  const SourceKey key = test::source_key(crypto::Suite::kSm4CtrHmacSm3);
  const size_t needed = text_of(key).size() + 1;
  for (size_t capacity = 0; capacity < needed; ++capacity) {
    std::memset(text, 0x5E, sizeof text);
    ASSERT_EQ(encode_source_key(key, text, capacity).code, Code::kInternal);
    for (size_t i = capacity; i < sizeof text; ++i) ASSERT_EQ(text[i], 0x5E);
  }
  EXPECT_OK(encode_source_key(key, text, needed));
}

// Every input of the derivation separates keys: source, generation, institution, suite, root version.
TEST(ProbeSourceKey, EveryInputMakesAnotherKey) {
  std::set<std::string> keys;
  size_t made = 0;
  for (crypto::Suite suite : test::kSuites)
    for (uint32_t version : {1u, 3u})
      for (uint32_t institution : {1u, 2u})
        for (uint8_t source : {0x01, 0x02})
          for (uint32_t generation : {1u, 2u}) {
            SourceKey key;
            ASSERT_OK(keys::derive_source_key(engine(), ring(), suite, version, institution,
                                              test::uuid(source), generation, key));
            keys.insert(test::to_hex({key.key, 32}));
            ++made;
          }
  EXPECT_EQ(keys.size(), made);
}

TEST(ProbeSourceKey, DerivationRepeats) {
  const SourceKey a = test::source_key(crypto::Suite::kAes256Gcm),
                  b = test::source_key(crypto::Suite::kAes256Gcm);
  EXPECT_EQ(std::memcmp(a.key, b.key, 32), 0) << "the key is shown once and stored nowhere";
}

TEST(ProbeSourceKey, NeedsItsRoot) {
  SourceKey key;
  const Status status =
      keys::derive_source_key(engine(), ring(), crypto::Suite::kAes256Gcm, 2, 1, test::uuid(1), 1, key);
  EXPECT_EQ(status.code, Code::kKeyMissing);
  EXPECT_STREQ(status.message, "envelope key version 2 is not loaded");
}

}  // namespace
}  // namespace visage::probe
