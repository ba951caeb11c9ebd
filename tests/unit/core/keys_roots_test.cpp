// Key files: what a provider prints.
#include "core/keys/roots.h"

#include "support.h"

namespace visage::keys {
namespace {

using test::Buffer;

const std::string kHex = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";
const std::string kOther =
    "ffeeddccbbaa99887766554433221100"
    "0123456789abcdeffedcba9876543210";

Status parse(const std::string& text, RootSet& out) {
  return parse_roots(test::engine(), text, out);
}

// What a faulty file is refused with; empty when it is accepted.
std::string refusal(const std::string& text) {
  RootSet roots;
  const Status status = parse(text, roots);
  if (status.ok()) return "";
  EXPECT_EQ(status.code, Code::kKeyInvalid);
  return status.message;
}

TEST(KeysRoots, ReadsVersionsInOrder) {
  RootSet roots;
  ASSERT_OK(parse("7 " + kOther + "\n2 " + kHex + "\n", roots));
  ASSERT_EQ(roots.count, 2u);
  EXPECT_EQ(roots.roots[0].version, 2u);
  EXPECT_EQ(roots.newest()->version, 7u);
  EXPECT_EQ(test::to_hex(roots.find(2)->view()), kHex);
  EXPECT_EQ(test::to_hex(roots.newest()->view()), kOther);
  EXPECT_EQ(roots.find(1), nullptr);
}

TEST(KeysRoots, AcceptsWhatEditorsAndShellsMake) {
  std::string upper = kHex;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const std::string& text :
       {"1 " + kHex, "1 " + kHex + "\r\n", "# made today\r\n\r\n  1\t" + kHex + " \t\r\n",
        "\n\n1   " + kHex + "\n\n", "1 " + upper + "\n", "   # indented comment\n001 " + kHex}) {
    RootSet roots;
    ASSERT_OK(parse(text, roots)) << text;
    ASSERT_EQ(roots.count, 1u);
    EXPECT_EQ(roots.roots[0].version, 1u);
    EXPECT_EQ(test::to_hex(roots.roots[0].view()), kHex);
  }
}

TEST(KeysRoots, KeyLengthBounds) {
  EXPECT_EQ(refusal("1 " + kHex), "");
  EXPECT_EQ(refusal("1 " + kHex + kOther), "");
  EXPECT_EQ(refusal("1 " + kHex.substr(2)), "line 1: key has 31 bytes, at least 32 are needed");
  EXPECT_EQ(refusal("1 " + kHex + kOther + "00"), "line 1: key has 65 bytes, at most 64 are allowed");
  EXPECT_EQ(refusal("1 " + kHex + "0"), "line 1: odd number of hex digits");
}

TEST(KeysRoots, NamesTheLineAndTheFault) {
  EXPECT_EQ(refusal("# a\n\n1 " + kHex + "\n1 " + kOther), "line 4: version 1 appears twice");
  EXPECT_EQ(refusal("1 " + kHex + "\n01 " + kOther), "line 2: version 1 appears twice");
  EXPECT_EQ(refusal("1" + kHex), "line 1: expected \"<version> <hex>\"");
  EXPECT_EQ(refusal(kHex), "line 1: expected \"<version> <hex>\"");
  EXPECT_EQ(refusal(""), "no key: expected lines of \"<version> <hex>\"");
  EXPECT_EQ(refusal("# only a comment\n"), "no key: expected lines of \"<version> <hex>\"");
  EXPECT_EQ(refusal("1 " + std::string(64, 'g')), "line 1: key is not hexadecimal");
  EXPECT_EQ(refusal("1 " + std::string(64, '0')), "line 1: key is one repeated byte, not a random key");
  EXPECT_EQ(refusal("1 " + std::string(128, 'f')), "line 1: key is one repeated byte, not a random key");
}

TEST(KeysRoots, VersionsArePositiveAnd32Bit) {
  const std::string fault = "line 1: version must be a number from 1 to 4294967295";
  EXPECT_EQ(refusal("4294967295 " + kHex), "");
  for (const char* version : {"0", "4294967296", "99999999999999999999", "-1", "+1", "1.0", "0x1", "one",
                              "\xEF\xBB\xBF"
                              "1"})
    EXPECT_EQ(refusal(std::string(version) + " " + kHex), fault) << version;
}

TEST(KeysRoots, NulBytesAndTrailingWordsAreRefused) {
  EXPECT_NE(refusal(std::string("1 ") + kHex + '\0'), "");
  EXPECT_NE(refusal(std::string("1 ") + kHex + std::string(2, '\0')), "");
  EXPECT_NE(refusal('\0' + ("1 " + kHex)), "");
  EXPECT_NE(refusal("1 " + kHex + '\n' + '\0'), "");
  EXPECT_NE(refusal("1 " + kHex + " " + kOther), "");
  EXPECT_NE(refusal("1 " + kHex.substr(0, 32) + "  " + kHex.substr(32)), "");
  EXPECT_NE(refusal("1 " + kHex + "# comment"), "");
}

// [8.1.4a] what was read before the fault is not left behind.
TEST(KeysRoots, ARefusedFileLeavesNothing) {
  RootSet roots;
  ASSERT_OK(parse("1 " + kHex, roots));
  ASSERT_FALSE(parse("1 " + kHex + "\n2 " + kOther + "\n3 bad", roots).ok());
  const Buffer bytes(reinterpret_cast<const uint8_t*>(&roots), reinterpret_cast<const uint8_t*>(&roots + 1));
  EXPECT_EQ(bytes, Buffer(sizeof roots, 0));
}

TEST(KeysRoots, AtMost32Versions) {
  std::string text;
  for (size_t version = 1; version <= kMaxRoots; ++version)
    text += std::to_string(version) + " " + kHex + "\n";
  EXPECT_EQ(refusal(text), "");
  EXPECT_EQ(refusal(text + "33 " + kHex + "\n"), "line 33: more than 32 versions");
  EXPECT_LE(text.size(), kMaxProviderOutput);
}

// Error messages reach the server log: none of them may quote the file.
TEST(KeysRoots, MessagesNeverQuoteKeyMaterial) {
  const std::string files[] = {"1 " + kHex + "0",
                               "1 " + kHex.substr(2),
                               "x " + kHex,
                               kHex,
                               kHex + " " + kHex,
                               "1 " + kHex + " " + kOther,
                               "1 " + kHex + "\n1 " + kOther,
                               "1\t" + kHex + "zz",
                               "1 " + kHex + kOther + "00",
                               "0 " + kHex};
  for (const std::string& file : files) {
    const std::string message = refusal(file);
    ASSERT_NE(message, "") << file;
    for (const std::string& key : {kHex, kOther})
      for (size_t i = 0; i + 6 <= key.size(); ++i)
        ASSERT_EQ(message.find(key.substr(i, 6)), std::string::npos) << message;
  }
}

TEST(KeysAddRoot, KeepsTheOrderAndRefusesWhatParsingRefuses) {
  RootSet roots = {};
  const Buffer key = test::from_hex(kHex);
  for (uint32_t version : {5u, 2u, 9u, 1u, 7u}) ASSERT_OK(add_root(test::engine(), roots, version, key));
  for (uint32_t i = 1; i < roots.count; ++i) EXPECT_LT(roots.roots[i - 1].version, roots.roots[i].version);
  EXPECT_EQ(roots.newest()->version, 9u);
  EXPECT_EQ(add_root(test::engine(), roots, 2, key).code, Code::kKeyInvalid) << "twice";
  EXPECT_EQ(add_root(test::engine(), roots, 0, key).code, Code::kKeyInvalid);
  EXPECT_EQ(add_root(test::engine(), roots, 3, Buffer(31, 1)).code, Code::kKeyInvalid);
  EXPECT_EQ(add_root(test::engine(), roots, 3, Buffer(65, 1)).code, Code::kKeyInvalid);
  for (uint32_t version = 100; roots.count < kMaxRoots; ++version)
    ASSERT_OK(add_root(test::engine(), roots, version, key));
  EXPECT_EQ(add_root(test::engine(), roots, 3, key).code, Code::kKeyInvalid) << "full";
}

// Wrap keys are derived with the root that they hang on, wherever it is put.
TEST(KeysAddRoot, DerivesWrapKeys) {
  RootSet roots = {};
  for (uint32_t version : {2u, 1u})
    ASSERT_OK(add_root(test::engine(), roots, version, test::from_hex(version == 1 ? kHex : kOther)));
  for (crypto::Suite suite : test::kSuites)
    for (uint32_t version : {1u, 2u}) {
      Buffer info, expected(crypto::key_size(suite));
      for (char c : std::string_view("visage/wrap/1")) info.push_back(static_cast<uint8_t>(c));
      info.push_back(static_cast<uint8_t>(suite));
      ASSERT_OK(
          test::engine().hkdf(suite, test::from_hex(version == 1 ? kHex : kOther), {}, {}, info, expected));
      EXPECT_EQ(test::to_hex(roots.find(version)->wrap_key(suite)), test::to_hex(expected));
    }
}

// Whatever a provider prints: an answer, and never more roots than fit.
TEST(KeysRoots, RandomAndMutatedTextNeverBreaksTheInvariants) {
  std::mt19937_64 random(12);
  const std::string good = "# keys\n1 " + kHex + "\r\n2 " + kOther + "\n";
  size_t accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = good;
    for (size_t change = 0; change <= random() % 3; ++change)
      text[random() % text.size()] = static_cast<char>("0123456789abcdef \t\r\n#\0x"[random() % 24]);
    RootSet roots;
    if (!parse(text, roots).ok()) continue;
    ++accepted;
    ASSERT_GE(roots.count, 1u);
    ASSERT_LE(roots.count, kMaxRoots);
    for (uint32_t i = 0; i < roots.count; ++i) {
      ASSERT_GE(roots.roots[i].size, kMinRootSize);
      ASSERT_LE(roots.roots[i].size, kMaxRootSize);
      ASSERT_NE(roots.roots[i].version, 0u);
      if (i > 0) {
        ASSERT_LT(roots.roots[i - 1].version, roots.roots[i].version);
      }
    }
  }
  EXPECT_GT(accepted, 100u) << "the mutations must also reach the accepting paths";
}

}  // namespace
}  // namespace visage::keys
