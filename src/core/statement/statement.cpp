#include "core/statement/statement.h"

#include "core/base/base64.h"
#include "core/statement/openssl.h"

namespace visage::statement {
namespace {

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

bool Lines::next(std::string_view prefix, std::string_view& value) {
  const std::string_view rest = text_.substr(position_);
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  if (!line.starts_with(prefix)) return false;
  value = line.substr(prefix.size());
  position_ += end == std::string_view::npos ? rest.size() : end + 1;
  return true;
}

bool Lines::end(std::string_view& signed_text, Signature& out) {
  std::string_view value;
  signed_text = text_.substr(0, position_);
  return signed_text.ends_with('\n') && next("signature: ", value) && at_end() &&
         value.size() <= base64_size(kMaxSignature) && decode_base64(value, out.bytes, out.size).ok() &&
         out.size > 0;
}

bool parse_hex(std::string_view text, MutableBytes out) {
  if (text.size() != 2 * out.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char digit = text[i];
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

bool parse_seconds(std::string_view text, int64_t& out) {
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

Status verify(std::string_view signed_text, const Signature& signature, std::string_view public_key_pem) {
  Key key;
  VISAGE_TRY(read_key(public_key_pem, key));
  return verify_signature(key.get(), as_bytes(signed_text), {signature.bytes, signature.size});
}

Status check_public_key(std::string_view pem) {
  Key key;
  return read_key(pem, key);
}

Status verify_signature(EVP_PKEY* key, Bytes message, Bytes signature) {
  const bool hashes = !EVP_PKEY_is_a(key, "ED25519");
  if (hashes && !EVP_PKEY_is_a(key, "EC") && !EVP_PKEY_is_a(key, "RSA"))
    return Status::error(Code::kAuthenticationFailed, "signature: keys of this kind are not accepted");
  const Context context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestVerifyInit_ex(context.get(), nullptr, hashes ? "SHA256" : nullptr,
                                                    nullptr, nullptr, key, nullptr) != 1) {
    forget_errors();
    return Status::error(Code::kInternal, "libcrypto: signature failed");
  }
  const int verdict =
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size());
  forget_errors();
  if (verdict != 1) return Status::error(Code::kAuthenticationFailed, "signature: it does not hold");
  return {};
}

}  // namespace visage::statement
