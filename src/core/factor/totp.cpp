#include "core/factor/totp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/base/secret.h"

namespace visage::factor {
namespace {

constexpr uint8_t kDefaultDigits = 6;
constexpr uint16_t kDefaultPeriod = 30;
constexpr std::string_view kUriPrefix = "otpauth://totp/";

Status malformed(const char* what) {
  return Status::error(Code::kInvalidArgument, "not a TOTP secret: %s", what);
}

const EVP_MD* digest_of(TotpAlgorithm algorithm) {
  switch (algorithm) {
    case TotpAlgorithm::kSha1:
      return EVP_sha1();
    case TotpAlgorithm::kSha256:
      return EVP_sha256();
    case TotpAlgorithm::kSha512:
      return EVP_sha512();
  }
  return nullptr;
}

uint32_t power_of_ten(int digits) {
  uint32_t power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  return power;
}

int base32_value(char character) {
  if (character >= 'A' && character <= 'Z') return character - 'A';
  if (character >= 'a' && character <= 'z') return character - 'a';
  if (character >= '2' && character <= '7') return character - '2' + 26;
  return -1;
}

Status decode_base32(std::string_view text, Totp& out) {
  uint32_t buffer = 0;
  int bits = 0;
  bool padded = false;
  for (const char character : text) {
    if (character == ' ' || character == '-') continue;
    if (character == '=') {
      padded = true;
      continue;
    }
    const int value = base32_value(character);
    if (value < 0 || padded) return malformed("it has a character that is not base32");
    buffer = (buffer << 5 | static_cast<uint32_t>(value)) & 0xFFF;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    if (out.secret_size == kMaxTotpSecret) return malformed("it is longer than 64 bytes");
    out.secret[out.secret_size++] = static_cast<uint8_t>(buffer >> bits);
  }
  if (out.secret_size < kMinTotpSecret) return malformed("it is shorter than 16 bytes");
  return {};
}

bool parse_number(std::string_view text, unsigned low, unsigned high, unsigned& out) {
  if (text.empty() || text.size() > 4) return false;
  out = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    out = out * 10 + static_cast<unsigned>(digit - '0');
  }
  return out >= low && out <= high;
}

Status parse_parameter(std::string_view name, std::string_view value, Totp& out) {
  unsigned number = 0;
  if (name == "secret") {
    if (out.secret_size != 0) return malformed("the secret is there twice");
    return decode_base32(value, out);
  }
  if (name == "algorithm") {
    if (value == "SHA1")
      out.algorithm = TotpAlgorithm::kSha1;
    else if (value == "SHA256")
      out.algorithm = TotpAlgorithm::kSha256;
    else if (value == "SHA512")
      out.algorithm = TotpAlgorithm::kSha512;
    else
      return malformed("algorithm must be SHA1, SHA256 or SHA512");
  } else if (name == "digits") {
    if (!parse_number(value, 6, 8, number)) return malformed("digits must be 6 to 8");
    out.digits = static_cast<uint8_t>(number);
  } else if (name == "period") {
    if (!parse_number(value, 15, 120, number)) return malformed("period must be 15 to 120 seconds");
    out.period = static_cast<uint16_t>(number);
  }
  return {};  // issuer, image and what else apps show
}

Status parse_uri(std::string_view text, Totp& out) {
  const size_t question = text.find('?');
  if (question == std::string_view::npos) return malformed("the URI has no secret");
  std::string_view rest = text.substr(question + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view parameter = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    VISAGE_TRY(parse_parameter(parameter.substr(0, equals), parameter.substr(equals + 1), out));
  }
  return out.secret_size == 0 ? malformed("the URI has no secret") : Status();
}

bool valid(const Totp& totp) {
  return digest_of(totp.algorithm) != nullptr && totp.digits >= 6 && totp.digits <= 8 && totp.period >= 15 &&
         totp.period <= 120 && totp.secret_size >= kMinTotpSecret && totp.secret_size <= kMaxTotpSecret;
}

}  // namespace

Status parse_totp(std::string_view text, Totp& out) {
  std::memset(&out, 0, sizeof out);
  out.algorithm = TotpAlgorithm::kSha1;
  out.digits = kDefaultDigits;
  out.period = kDefaultPeriod;
  return text.starts_with(kUriPrefix) ? parse_uri(text, out) : decode_base32(text, out);
}

Status encode_totp(const Totp& totp, MutableBytes out, size_t& size) {
  if (!valid(totp)) return malformed("a parameter is out of range");
  Writer writer(out);
  writer.number(totp.algorithm);
  writer.number(totp.digits);
  writer.number(totp.period);
  writer.bytes(totp.secret_view());
  if (!writer.ok()) return Status::error(Code::kInternal, "TOTP contents exceed their buffer");
  size = writer.position();
  return {};
}

Status decode_totp(Bytes contents, Totp& out) {
  Reader reader(contents);
  std::memset(&out, 0, sizeof out);
  out.algorithm = reader.number<TotpAlgorithm>();
  out.digits = reader.number<uint8_t>();
  out.period = reader.number<uint16_t>();
  const Bytes secret = reader.take(reader.remaining());
  if (reader.ok() && secret.size() <= kMaxTotpSecret) {
    std::memcpy(out.secret, secret.data(), secret.size());
    out.secret_size = static_cast<uint8_t>(secret.size());
  }
  return valid(out) ? Status() : Status::error(Code::kMalformed, "contents of a TOTP factor");
}

Status hotp(TotpAlgorithm algorithm, Bytes secret, uint64_t counter, int digits, uint32_t& out) {
  uint8_t message[8];
  for (int i = 0; i < 8; ++i) message[i] = static_cast<uint8_t>(counter >> (8 * (7 - i)));
  Secret<KeyBytes<EVP_MAX_MD_SIZE>> mac;
  unsigned size = 0;
  const EVP_MD* digest = digest_of(algorithm);
  if (digest == nullptr || HMAC(digest, secret.data(), static_cast<int>(secret.size()), message,
                                sizeof message, mac.value.bytes, &size) == nullptr)
    return Status::error(Code::kInternal, "libcrypto: HMAC failed");
  // Dynamic truncation.
  const unsigned offset = mac.value.bytes[size - 1] & 0x0F;
  const uint8_t* at = mac.value.bytes + offset;
  const uint32_t bits = static_cast<uint32_t>(at[0] & 0x7F) << 24 | static_cast<uint32_t>(at[1]) << 16 |
                        static_cast<uint32_t>(at[2]) << 8 | at[3];
  out = bits % power_of_ten(digits);
  return {};
}

Status check_totp(const Totp& totp, std::string_view code, int64_t unix_seconds, int window, bool& matches,
                  uint64_t& step) {
  matches = false;
  step = 0;
  if (window < 0 || window > kMaxTotpWindow || unix_seconds < 0)
    return Status::error(Code::kInvalidArgument, "TOTP window or time out of range");
  char given[8] = {};
  bool digits_only = code.size() == totp.digits;
  for (size_t i = 0; digits_only && i < code.size(); ++i) {
    given[i] = code[i];
    digits_only = code[i] >= '0' && code[i] <= '9';
  }
  const int64_t now = unix_seconds / totp.period;
  for (int64_t at = now - window; at <= now + window; ++at) {
    if (at < 0) continue;
    uint32_t expected = 0;
    VISAGE_TRY(hotp(totp.algorithm, totp.secret_view(), static_cast<uint64_t>(at), totp.digits, expected));
    char text[8];
    for (int i = totp.digits - 1; i >= 0; --i, expected /= 10)
      text[i] = static_cast<char>('0' + expected % 10);
    if (CRYPTO_memcmp(text, given, totp.digits) == 0 && digits_only) {
      matches = true;
      step = static_cast<uint64_t>(at);
    }
    wipe(text, sizeof text);
  }
  return {};
}

}  // namespace visage::factor
