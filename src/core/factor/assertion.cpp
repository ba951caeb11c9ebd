#include "core/factor/assertion.h"

#include "core/base/base64.h"
#include "core/factor/openssl.h"

namespace visage::factor {
namespace {

Status wrong_line(const char* name) {
  return Status::error(Code::kMalformed, "assertion: the line \"%s\" is missing or malformed", name);
}

// The lines of a text, one after the other.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  size_t position() const { return position_; }
  bool at_end() const { return position_ == text_.size(); }
  bool next(std::string_view prefix, std::string_view& value) {
    const std::string_view rest = text_.substr(position_);
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (!line.starts_with(prefix)) return false;
    value = line.substr(prefix.size());
    position_ += end == std::string_view::npos ? rest.size() : end + 1;
    return true;
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

bool parse_nonce(std::string_view hex, uint8_t out[kNonceSize]) {
  if (hex.size() != 2 * kNonceSize) return false;
  for (size_t i = 0; i < hex.size(); ++i) {
    const char digit = hex[i];
    int value;
    if (digit >= '0' && digit <= '9')
      value = digit - '0';
    else if (digit >= 'a' && digit <= 'f')
      value = digit - 'a' + 10;
    else
      return false;
    out[i / 2] = static_cast<uint8_t>(i % 2 == 0 ? value << 4 : out[i / 2] | value);
  }
  return true;
}

bool parse_time(std::string_view text, int64_t& out) {
  if (text.empty() || text.size() > 11 || text[0] == '0') return false;
  out = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    out = out * 10 + (digit - '0');
  }
  return true;
}

bool is_name(std::string_view text, size_t max) {
  if (text.empty() || text.size() > max) return false;
  for (const char character : text)
    if (static_cast<unsigned char>(character) < 0x20 || character == 0x7F) return false;
  return true;
}

bool supported(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return true;
  const int bits = EVP_PKEY_get_bits(key);
  return EVP_PKEY_is_a(key, "EC") && (bits == 256 || bits == 384);
}

Status read_key(std::string_view pem, Key& out) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio != nullptr) out.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  forget_errors();
  if (out == nullptr || !supported(out.get()))
    return Status::error(
        Code::kInvalidArgument,
        "not a public key in PEM (SubjectPublicKeyInfo) of Ed25519 or of ECDSA over P-256 or P-384");
  return {};
}

}  // namespace

Status parse_assertion(std::string_view text, Assertion& out) {
  constexpr size_t kMaxService = 63;
  constexpr size_t kMaxSubject = 256;
  if (text.size() > kMaxAssertion) return Status::error(Code::kMalformed, "assertion: too long");
  Lines lines(text);
  std::string_view value;
  if (!lines.next("visage/otp/1", value) || !value.empty()) return wrong_line("visage/otp/1");
  if (!lines.next("service: ", out.service) || !is_name(out.service, kMaxService))
    return wrong_line("service");
  if (!lines.next("subject: ", out.subject) || !is_name(out.subject, kMaxSubject))
    return wrong_line("subject");
  if (!lines.next("nonce: ", value) || !parse_nonce(value, out.nonce)) return wrong_line("nonce");
  if (!lines.next("issued: ", value) || !parse_time(value, out.issued_at)) return wrong_line("issued");
  if (!lines.next("expires: ", value) || !parse_time(value, out.expires_at)) return wrong_line("expires");
  out.signed_text = text.substr(0, lines.position());
  if (!out.signed_text.ends_with('\n') || !lines.next("signature: ", value) || !lines.at_end() ||
      value.size() > base64_size(kMaxSignature) ||
      !decode_base64(value, out.signature, out.signature_size).ok() || out.signature_size == 0)
    return wrong_line("signature");
  return {};
}

Status verify_assertion(const Assertion& assertion, std::string_view public_key_pem) {
  Key key;
  VISAGE_TRY(read_key(public_key_pem, key));
  return verify_signature(key.get(), as_bytes(assertion.signed_text),
                          {assertion.signature, assertion.signature_size});
}

Status check_public_key(std::string_view pem) {
  Key key;
  return read_key(pem, key);
}

}  // namespace visage::factor
