#include "core/crypto/hmac.h"

#include "core/base/secret.h"

namespace visage::crypto {
namespace {

constexpr size_t kBlockSize = 64;  // SHA-256 and SM3 alike

// Fills the key block XORed with `pad`; a key longer than a block must already be hashed.
void pad_key(Bytes key, uint8_t pad, uint8_t out[kBlockSize]) {
  std::memset(out, pad, kBlockSize);
  for (size_t i = 0; i < key.size(); ++i) out[i] ^= key[i];
}

}  // namespace

HmacSha256::HmacSha256(Bytes key) {
  Secret<KeyBytes<kDigestSize>> hashed;
  if (key.size() > kBlockSize) {
    SHA256(key.data(), key.size(), hashed.value.bytes);
    key = hashed.value.view();
  }
  Secret<KeyBytes<kBlockSize>> block;
  pad_key(key, 0x36, block.value.bytes);
  SHA256_Init(&inner_keyed_);
  SHA256_Update(&inner_keyed_, block.value.bytes, kBlockSize);
  pad_key(key, 0x5c, block.value.bytes);
  SHA256_Init(&outer_keyed_);
  SHA256_Update(&outer_keyed_, block.value.bytes, kBlockSize);
  running_ = inner_keyed_;
}

HmacSha256::~HmacSha256() {
  wipe(&inner_keyed_, sizeof inner_keyed_);
  wipe(&outer_keyed_, sizeof outer_keyed_);
  wipe(&running_, sizeof running_);
}

void HmacSha256::update(Bytes bytes) {
  SHA256_Update(&running_, bytes.data(), bytes.size());
}

void HmacSha256::finish(uint8_t out[kDigestSize]) {
  SHA256_Final(out, &running_);
  running_ = outer_keyed_;
  SHA256_Update(&running_, out, kDigestSize);
  SHA256_Final(out, &running_);
  running_ = inner_keyed_;
}

HmacSm3::HmacSm3(Sm3Contexts& contexts, Bytes key) : contexts_(contexts) {
  Secret<KeyBytes<kDigestSize>> hashed;
  if (key.size() > kBlockSize) {
    ok_ = EVP_DigestInit_ex2(contexts_.running, contexts_.sm3, nullptr) &&
          EVP_DigestUpdate(contexts_.running, key.data(), key.size()) &&
          EVP_DigestFinal_ex(contexts_.running, hashed.value.bytes, nullptr);
    key = hashed.value.view();
  }
  Secret<KeyBytes<kBlockSize>> block;
  pad_key(key, 0x36, block.value.bytes);
  ok_ = ok_ && EVP_DigestInit_ex2(contexts_.inner_keyed, contexts_.sm3, nullptr) &&
        EVP_DigestUpdate(contexts_.inner_keyed, block.value.bytes, kBlockSize);
  pad_key(key, 0x5c, block.value.bytes);
  ok_ = ok_ && EVP_DigestInit_ex2(contexts_.outer_keyed, contexts_.sm3, nullptr) &&
        EVP_DigestUpdate(contexts_.outer_keyed, block.value.bytes, kBlockSize) &&
        EVP_MD_CTX_copy_ex(contexts_.running, contexts_.inner_keyed);
}

void HmacSm3::update(Bytes bytes) {
  ok_ = ok_ && EVP_DigestUpdate(contexts_.running, bytes.data(), bytes.size());
}

void HmacSm3::finish(uint8_t out[kDigestSize]) {
  ok_ = ok_ && EVP_DigestFinal_ex(contexts_.running, out, nullptr) &&
        EVP_MD_CTX_copy_ex(contexts_.running, contexts_.outer_keyed) &&
        EVP_DigestUpdate(contexts_.running, out, kDigestSize) &&
        EVP_DigestFinal_ex(contexts_.running, out, nullptr) &&
        EVP_MD_CTX_copy_ex(contexts_.running, contexts_.inner_keyed);
}

}  // namespace visage::crypto
