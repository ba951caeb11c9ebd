// TOTP: the vectors of RFC 4226 (appendix D) and RFC 6238 (appendix B), the window, and what is no secret.
#include "core/factor/totp.h"

#include "support.h"

namespace visage::factor {
namespace {

using test::Buffer;

Totp totp_of(TotpAlgorithm algorithm, std::string_view secret, uint8_t digits) {
  Totp totp = {};
  totp.algorithm = algorithm;
  totp.digits = digits;
  totp.period = 30;
  totp.secret_size = static_cast<uint8_t>(secret.size());
  std::memcpy(totp.secret, secret.data(), secret.size());
  return totp;
}

bool matches(const Totp& totp, std::string_view code, int64_t now, int window, uint64_t* step = nullptr) {
  bool matched = false;
  uint64_t at = 0;
  EXPECT_OK(check_totp(totp, code, now, window, matched, at));
  if (step != nullptr) *step = at;
  return matched;
}

constexpr std::string_view kSeed20 = "12345678901234567890";
constexpr std::string_view kSeed32 = "12345678901234567890123456789012";
constexpr std::string_view kSeed64 = "1234567890123456789012345678901234567890123456789012345678901234";

TEST(FactorTotp, HotpVectorsOfRfc4226) {
  const uint32_t expected[] = {755224, 287082, 359152, 969429, 338314,
                               254676, 287922, 162583, 399871, 520489};
  for (uint64_t counter = 0; counter < 10; ++counter) {
    uint32_t code = 0;
    ASSERT_OK(hotp(TotpAlgorithm::kSha1, as_bytes(kSeed20), counter, 6, code));
    EXPECT_EQ(expected[counter], code) << counter;
  }
}

TEST(FactorTotp, VectorsOfRfc6238) {
  const struct {
    int64_t time;
    const char *sha1, *sha256, *sha512;
  } vectors[] = {
      {59, "94287082", "46119246", "90693936"},         {1111111109, "07081804", "68084774", "25091201"},
      {1111111111, "14050471", "67062674", "99943326"}, {1234567890, "89005924", "91819424", "93441116"},
      {2000000000, "69279037", "90698825", "38618901"}, {20000000000, "65353130", "77737706", "47863826"}};
  const Totp totps[] = {totp_of(TotpAlgorithm::kSha1, kSeed20, 8),
                        totp_of(TotpAlgorithm::kSha256, kSeed32, 8),
                        totp_of(TotpAlgorithm::kSha512, kSeed64, 8)};
  for (const auto& vector : vectors) {
    const char* const codes[] = {vector.sha1, vector.sha256, vector.sha512};
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(matches(totps[i], codes[i], vector.time, 0)) << vector.time << " " << i;
      EXPECT_FALSE(matches(totps[i], codes[(i + 1) % 3], vector.time, 0)) << vector.time << " " << i;
    }
  }
}

TEST(FactorTotp, TheWindowCountsStepsBothWays) {
  const Totp totp = totp_of(TotpAlgorithm::kSha1, kSeed20, 8);
  uint64_t step = 0;
  // Step 1 is that of second 59.
  for (const int64_t now : {0, 29, 30, 59, 60, 89}) {
    EXPECT_EQ(now / 30 == 1, matches(totp, "94287082", now, 0)) << now;
    EXPECT_TRUE(matches(totp, "94287082", now, 1, &step)) << now;
    EXPECT_EQ(1U, step);
  }
  EXPECT_FALSE(matches(totp, "94287082", 90, 1));
  EXPECT_TRUE(matches(totp, "94287082", 90, 2));
  EXPECT_FALSE(matches(totp, "94287082", 30 * 12, 10));
}

TEST(FactorTotp, ACodeIsItsDigitsAndNothingElse) {
  const Totp totp = totp_of(TotpAlgorithm::kSha1, kSeed20, 8);
  for (const char* code : {"", "9428708", "942870820", "94287083", "9428708x", " 4287082", "94287082 "})
    EXPECT_FALSE(matches(totp, code, 59, 0)) << code;
  EXPECT_FALSE(matches(totp, std::string_view("9428708\0", 8), 59, 0));
  EXPECT_FALSE(matches(totp_of(TotpAlgorithm::kSha1, kSeed20, 6), "94287082", 59, 0));
  EXPECT_TRUE(matches(totp_of(TotpAlgorithm::kSha1, kSeed20, 6), "287082", 59, 0));
  bool matched = true;
  uint64_t step = 0;
  EXPECT_FALSE(check_totp(totp, "94287082", -1, 1, matched, step).ok());
  EXPECT_FALSE(check_totp(totp, "94287082", 59, kMaxTotpWindow + 1, matched, step).ok());
}

TEST(FactorTotp, SecretsAsAppsWriteThem) {
  constexpr std::string_view kBase32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  for (const std::string& text : std::vector<std::string>{
           std::string(kBase32), std::string("gezd gnbv gy3t qojq gezd gnbv gy3t qojq"),
           "otpauth://totp/Bank:alice?secret=" + std::string(kBase32) + "&issuer=Bank",
           "otpauth://totp/x?digits=6&period=30&algorithm=SHA1&secret=" + std::string(kBase32)}) {
    Totp totp;
    ASSERT_OK(parse_totp(text, totp)) << text;
    EXPECT_EQ(kSeed20, std::string_view(reinterpret_cast<const char*>(totp.secret), totp.secret_size));
    EXPECT_TRUE(matches(totp, "287082", 59, 0));
  }
  Totp totp;
  ASSERT_OK(parse_totp(
      "otpauth://totp/x?secret=" + std::string(kBase32) + "&algorithm=SHA512&digits=8&period=60", totp));
  EXPECT_EQ(TotpAlgorithm::kSha512, totp.algorithm);
  EXPECT_EQ(8, totp.digits);
  EXPECT_EQ(60, totp.period);
}

TEST(FactorTotp, WhatIsNoSecretIsNotQuoted) {
  const std::string good(32, 'M');
  for (const std::string& text : std::vector<std::string>{
           std::string(), std::string("MMMM"), std::string(31, 'M') + "!", std::string(120, 'M'),
           "otpauth://totp/x", "otpauth://totp/x?issuer=MMMM", "otpauth://hotp/x?secret=" + good,
           "otpauth://totp/x?secret=" + good + "&secret=" + good,
           "otpauth://totp/x?secret=" + good + "&digits=9", "otpauth://totp/x?secret=" + good + "&period=1",
           "otpauth://totp/x?secret=" + good + "&algorithm=MD5", good + "=M"}) {
    Totp totp;
    const Status status = parse_totp(text, totp);
    EXPECT_EQ(Code::kInvalidArgument, status.code) << text;
    EXPECT_EQ(nullptr, std::strstr(status.message, "MM")) << status.message;
  }
}

TEST(FactorTotp, ContentsAreReadBackAndChecked) {
  const Totp totp = totp_of(TotpAlgorithm::kSha256, kSeed32, 7);
  uint8_t bytes[kMaxTotpContents];
  size_t size = 0;
  ASSERT_OK(encode_totp(totp, bytes, size));
  Totp back;
  ASSERT_OK(decode_totp({bytes, size}, back));
  EXPECT_EQ(0, std::memcmp(&totp, &back, sizeof totp));
  for (size_t length = 0; length < 4 + kMinTotpSecret; ++length)
    EXPECT_EQ(Code::kMalformed, decode_totp({bytes, length}, back).code) << length;
  bytes[0] = 9;
  EXPECT_EQ(Code::kMalformed, decode_totp({bytes, size}, back).code);
}

}  // namespace
}  // namespace visage::factor
