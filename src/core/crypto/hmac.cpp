#include "core/crypto/hmac.h"

#include <algorithm>

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
  KeyBytes<kDigestSize> hashed;
  const bool is_long = key.size() > kBlockSize;
  if (is_long) {
    SHA256(key.data(), key.size(), hashed.bytes);
    key = hashed.view();
  }
  SHA256_Init(&running_);
  pad_key(key, 0x36, block_);
  SHA256_Transform(&running_, block_);
  std::memcpy(key_.inner, running_.h, sizeof key_.inner);
  SHA256_Init(&running_);
  pad_key(key, 0x5c, block_);
  SHA256_Transform(&running_, block_);
  std::memcpy(key_.outer, running_.h, sizeof key_.outer);
  if (is_long) wipe(&hashed, sizeof hashed);
  start();
}

HmacSha256::HmacSha256(const HmacSha256Key& key) : key_(key) {
  start();
}

HmacSha256::~HmacSha256() {
  wipe(this, sizeof *this);
}

void HmacSha256::start() {
  std::memcpy(running_.h, key_.inner, sizeof key_.inner);
  filled_ = 0;
  size_ = kBlockSize;
}

void HmacSha256::update(Bytes bytes) {
  while (!bytes.empty()) {
    const size_t part = std::min(bytes.size(), kBlockSize - filled_);
    std::memcpy(block_ + filled_, bytes.data(), part);
    bytes = bytes.subspan(part);
    filled_ += part;
    if (filled_ < kBlockSize) return;
    SHA256_Transform(&running_, block_);
    size_ += kBlockSize;
    filled_ = 0;
  }
}

// The end of a message of SHA-256: a one bit, zeros, and the message's length in bits in the last eight
// bytes.
void HmacSha256::pad(uint64_t message_size) {
  constexpr size_t kLengthAt = kBlockSize - sizeof(uint64_t);
  block_[filled_++] = 0x80;
  if (filled_ > kLengthAt) {
    std::memset(block_ + filled_, 0, kBlockSize - filled_);
    SHA256_Transform(&running_, block_);
    filled_ = 0;
  }
  std::memset(block_ + filled_, 0, kLengthAt - filled_);
  const uint64_t bits = __builtin_bswap64(8 * message_size);
  std::memcpy(block_ + kLengthAt, &bits, sizeof bits);
  SHA256_Transform(&running_, block_);
}

void HmacSha256::write_digest(uint8_t* out) const {
  for (size_t i = 0; i < std::size(running_.h); ++i) {
    const uint32_t word = __builtin_bswap32(running_.h[i]);
    std::memcpy(out + sizeof word * i, &word, sizeof word);
  }
}

void HmacSha256::finish(uint8_t out[kDigestSize]) {
  pad(size_ + filled_);
  write_digest(block_);
  filled_ = kDigestSize;
  std::memcpy(running_.h, key_.outer, sizeof key_.outer);
  pad(kBlockSize + kDigestSize);
  write_digest(out);
  start();
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
