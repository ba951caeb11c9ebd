#include "core/crypto/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

namespace visage::crypto {
namespace {

constexpr size_t kSecureHeap = 16384;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }  // wipes a private key
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

Status library_failed(const char* what) {
  return Status::error(Code::kInternal, "libcrypto: Ed25519 %s failed", what);
}

Key private_key(const SigningKey& key) {
  return Key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, key.seed, kEd25519Size));
}

}  // namespace

Status public_key(const SigningKey& key, VerifyingKey& out) {
  const Key pair = private_key(key);
  size_t size = kEd25519Size;
  if (pair == nullptr || EVP_PKEY_get_raw_public_key(pair.get(), out.bytes, &size) != 1)
    return library_failed("key");
  return {};
}

Status Signer::hold(const SigningKey& key) {
  drop();
  // An Ed25519 private key in libcrypto's secure heap takes 32 bytes. Once a process; 1 is "locked".
  static const bool locked = CRYPTO_secure_malloc_init(kSecureHeap, kEd25519Size) == 1;
  keep_ = locked;
  key_ = private_key(key).release();
  return key_ != nullptr ? Status() : library_failed("key");
}

void Signer::drop() {
  EVP_PKEY_free(key_);
  key_ = nullptr;
}

Status Signer::sign(Bytes message, uint8_t out[kEd25519SignatureSize]) {
  const Context context(EVP_MD_CTX_new());
  size_t size = kEd25519SignatureSize;
  const bool made =
      key_ != nullptr && context != nullptr &&
      EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_, nullptr) == 1 &&
      EVP_DigestSign(context.get(), out, &size, message.data(), message.size()) == 1;
  if (!keep_) drop();
  return made ? Status() : library_failed("signature");
}

Status sign(const SigningKey& key, Bytes message, uint8_t out[kEd25519SignatureSize]) {
  Signer signer;
  VISAGE_TRY(signer.hold(key));
  return signer.sign(message, out);
}

Status verify(const VerifyingKey& key, Bytes message, const uint8_t signature[kEd25519SignatureSize]) {
  const Key verifying(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, key.bytes, kEd25519Size));
  const Context context(EVP_MD_CTX_new());
  if (verifying == nullptr || context == nullptr ||
      EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, verifying.get(), nullptr) !=
          1)
    return library_failed("key");
  if (EVP_DigestVerify(context.get(), signature, kEd25519SignatureSize, message.data(), message.size()) != 1)
    return Status::error(Code::kAuthenticationFailed, "signature does not hold");
  return {};
}

}  // namespace visage::crypto
