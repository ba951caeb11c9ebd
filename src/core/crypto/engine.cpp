#include "core/crypto/engine.h"

#include <openssl/rand.h>

#include <algorithm>
#include <new>

#include "core/base/secret.h"
#include "core/crypto/hkdf.h"
#include "core/crypto/hmac.h"

namespace visage::crypto {
namespace {

constexpr size_t kSm4KeySize = 16;
constexpr size_t kMacKeySize = 32;
constexpr size_t kCtrBlockSize = 16;

Status library_failed(const char* what) {
  return Status::error(Code::kInternal, "libcrypto: %s failed", what);
}
Status does_not_open() {
  return Status::error(Code::kAuthenticationFailed, "authentication tag does not match");
}

}  // namespace

struct Engine::State {
  // Each context keeps its cipher: naming the cipher again at an init would free and allocate the provider's
  // state.
  EVP_CIPHER_CTX* aes_gcm = nullptr;
  EVP_CIPHER_CTX* aes_ctr = nullptr;
  EVP_CIPHER_CTX* sm4_ctr = nullptr;
  Sm3Contexts sm3;
  bool suite2_used = false;  // since the last forget_keys()

  static EVP_CIPHER_CTX* context_of(const char* name) {
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    if (cipher == nullptr || context == nullptr ||
        !EVP_EncryptInit_ex2(context, cipher, nullptr, nullptr, nullptr)) {
      EVP_CIPHER_CTX_free(context);
      context = nullptr;
    }
    EVP_CIPHER_free(cipher);  // the context holds its own reference
    return context;
  }

  bool init() {
    aes_gcm = context_of("AES-256-GCM");
    aes_ctr = context_of("AES-256-CTR");
    sm4_ctr = context_of("SM4-CTR");
    sm3.sm3 = EVP_MD_fetch(nullptr, "SM3", nullptr);
    sm3.inner_keyed = EVP_MD_CTX_new();
    sm3.outer_keyed = EVP_MD_CTX_new();
    sm3.running = EVP_MD_CTX_new();
    return aes_gcm && aes_ctr && sm4_ctr && sm3.sm3 && sm3.inner_keyed && sm3.outer_keyed && sm3.running;
  }
  ~State() {
    EVP_MD_CTX_free(sm3.running);
    EVP_MD_CTX_free(sm3.outer_keyed);
    EVP_MD_CTX_free(sm3.inner_keyed);
    EVP_MD_free(sm3.sm3);
    EVP_CIPHER_CTX_free(sm4_ctr);
    EVP_CIPHER_CTX_free(aes_ctr);
    EVP_CIPHER_CTX_free(aes_gcm);
  }

  // CTR over `in`, which may be `out`.
  Status ctr_crypt(EVP_CIPHER_CTX* context, const uint8_t* key, const uint8_t* iv, Bytes in, uint8_t* out) {
    int length = 0;
    if (!EVP_EncryptInit_ex2(context, nullptr, key, iv, nullptr) ||
        !EVP_EncryptUpdate(context, out, &length, in.data(), static_cast<int>(in.size())))
      return library_failed("CTR");
    return {};
  }

  Status sm4_tag(Bytes key, Bytes nonce, Bytes aad, Bytes ciphertext, uint8_t out[kDigestSize]) {
    const uint64_t aad_length = aad.size();
    suite2_used = true;
    HmacSm3 mac(sm3, key.subspan(kSm4KeySize, kMacKeySize));
    mac.update({reinterpret_cast<const uint8_t*>(&aad_length), sizeof aad_length});
    mac.update(aad);
    mac.update(nonce);
    mac.update(ciphertext);
    mac.finish(out);
    return mac.ok() ? Status() : library_failed("HMAC-SM3");
  }

  Status sm4_crypt(Bytes key, Bytes nonce, Bytes in, uint8_t* out) {
    suite2_used = true;
    uint8_t iv[kCtrBlockSize] = {};
    std::memcpy(iv, nonce.data(), kNonceSize);
    return ctr_crypt(sm4_ctr, key.data(), iv, in, out);
  }
};

Engine* Engine::create() {
  State* state = new (std::nothrow) State;
  if (state == nullptr) return nullptr;
  Engine* engine = state->init() ? new (std::nothrow) Engine(state) : nullptr;
  if (engine == nullptr) delete state;
  return engine;
}

Engine::~Engine() {
  delete state_;
}

Status Engine::seal(Suite suite, Bytes key, Bytes nonce, Bytes aad, Bytes plaintext, MutableBytes out) {
  if (key.size() != key_size(suite) || nonce.size() != kNonceSize ||
      out.size() != plaintext.size() + tag_size(suite))
    return Status::error(Code::kInternal, "seal called with wrong sizes");
  uint8_t* tag = out.data() + plaintext.size();
  if (suite == Suite::kSm4CtrHmacSm3) {
    VISAGE_TRY(state_->sm4_crypt(key, nonce, plaintext, out.data()));
    return state_->sm4_tag(key, nonce, aad, {out.data(), plaintext.size()}, tag);
  }
  int length = 0;
  if (!EVP_EncryptInit_ex2(state_->aes_gcm, nullptr, key.data(), nonce.data(), nullptr) ||
      !EVP_EncryptUpdate(state_->aes_gcm, nullptr, &length, aad.data(), static_cast<int>(aad.size())) ||
      !EVP_EncryptUpdate(state_->aes_gcm, out.data(), &length, plaintext.data(),
                         static_cast<int>(plaintext.size())) ||
      !EVP_EncryptFinal_ex(state_->aes_gcm, tag, &length) ||
      !EVP_CIPHER_CTX_ctrl(state_->aes_gcm, EVP_CTRL_AEAD_GET_TAG, 16, tag))
    return library_failed("AES-256-GCM");
  return {};
}

Status Engine::open(Suite suite, Bytes key, Bytes nonce, Bytes aad, Bytes sealed, MutableBytes out) {
  const size_t tag_length = tag_size(suite);
  if (key.size() != key_size(suite) || nonce.size() != kNonceSize || sealed.size() < tag_length ||
      out.size() != sealed.size() - tag_length)
    return Status::error(Code::kInternal, "open called with wrong sizes");
  const Bytes ciphertext = sealed.first(out.size());
  const Bytes tag = sealed.last(tag_length);
  if (suite == Suite::kSm4CtrHmacSm3) {
    uint8_t expected[kDigestSize];
    VISAGE_TRY(state_->sm4_tag(key, nonce, aad, ciphertext, expected));
    if (CRYPTO_memcmp(expected, tag.data(), tag_length) != 0) {
      wipe(out.data(), out.size());
      return does_not_open();
    }
    return state_->sm4_crypt(key, nonce, ciphertext, out.data());
  }
  int length = 0;
  if (!EVP_DecryptInit_ex2(state_->aes_gcm, nullptr, key.data(), nonce.data(), nullptr) ||
      !EVP_DecryptUpdate(state_->aes_gcm, nullptr, &length, aad.data(), static_cast<int>(aad.size())) ||
      !EVP_DecryptUpdate(state_->aes_gcm, out.data(), &length, ciphertext.data(),
                         static_cast<int>(ciphertext.size())) ||
      !EVP_CIPHER_CTX_ctrl(state_->aes_gcm, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_length),
                           const_cast<uint8_t*>(tag.data())))
    return library_failed("AES-256-GCM");
  if (EVP_DecryptFinal_ex(state_->aes_gcm, out.data() + length, &length) <= 0) {
    wipe(out.data(), out.size());
    return does_not_open();
  }
  return {};
}

Status Engine::hkdf(Suite suite, Bytes ikm1, Bytes ikm2, Bytes salt, Bytes info, MutableBytes out) {
  if (out.size() > 255 * kDigestSize) return Status::error(Code::kInternal, "HKDF output is too long");
  if (suite == Suite::kAes256Gcm) {
    hkdf_with([](Bytes key) { return HmacSha256(key); }, ikm1, ikm2, salt, info, out);
    return {};
  }
  state_->suite2_used = true;
  bool ok = true;
  struct Tracked : HmacSm3 {
    bool& all_ok;
    Tracked(Sm3Contexts& contexts, Bytes key, bool& all_ok) : HmacSm3(contexts, key), all_ok(all_ok) {}
    ~Tracked() { all_ok = all_ok && ok(); }
  };
  hkdf_with([&](Bytes key) { return Tracked(state_->sm3, key, ok); }, ikm1, ikm2, salt, info, out);
  return ok ? Status() : library_failed("HKDF-SM3");
}

Status Engine::keystream(Suite suite, Bytes seed, MutableBytes out) {
  if (seed.size() != kSeedSize)
    return Status::error(Code::kInternal, "keystream needs a seed of %zu bytes", kSeedSize);
  std::memset(out.data(), 0, out.size());
  if (suite == Suite::kSm4CtrHmacSm3) {
    state_->suite2_used = true;
    return state_->ctr_crypt(state_->sm4_ctr, seed.data(), seed.data() + kSm4KeySize, out, out.data());
  }
  static constexpr uint8_t kZeroIv[kCtrBlockSize] = {};
  return state_->ctr_crypt(state_->aes_ctr, seed.data(), kZeroIv, out, out.data());
}

Status Engine::digest(Suite suite, Bytes bytes, MutableBytes out) {
  if (out.size() != kDigestSize) return Status::error(Code::kInternal, "a digest has %zu bytes", kDigestSize);
  if (suite == Suite::kAes256Gcm) {
    sha256(bytes, out.data());
    return {};
  }
  EVP_MD_CTX* context = state_->sm3.running;
  if (!EVP_DigestInit_ex2(context, state_->sm3.sm3, nullptr) ||
      !EVP_DigestUpdate(context, bytes.data(), bytes.size()) ||
      !EVP_DigestFinal_ex(context, out.data(), nullptr))
    return library_failed("SM3");
  return {};
}

Status Engine::hmac(Suite suite, Bytes key, std::span<const Bytes> parts, MutableBytes out) {
  if (out.size() != kDigestSize) return Status::error(Code::kInternal, "an HMAC has %zu bytes", kDigestSize);
  if (suite == Suite::kAes256Gcm) {
    HmacSha256 mac(key);
    for (Bytes part : parts) mac.update(part);
    mac.finish(out.data());
    return {};
  }
  state_->suite2_used = true;
  HmacSm3 mac(state_->sm3, key);
  for (Bytes part : parts) mac.update(part);
  mac.finish(out.data());
  return mac.ok() ? Status() : library_failed("HMAC-SM3");
}

void Engine::forget_keys() {
  static constexpr uint8_t kZeros[kMaxKeySize] = {};
  // The results do not matter: a context that fails here has no key to forget.
  (void)EVP_EncryptInit_ex2(state_->aes_gcm, nullptr, kZeros, kZeros, nullptr);
  (void)EVP_EncryptInit_ex2(state_->aes_ctr, nullptr, kZeros, kZeros, nullptr);
  if (!state_->suite2_used) return;
  (void)EVP_EncryptInit_ex2(state_->sm4_ctr, nullptr, kZeros, kZeros, nullptr);
  HmacSm3 mac(state_->sm3, kZeros);
  state_->suite2_used = false;
}

Status Engine::random(MutableBytes out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) return library_failed("RAND_bytes");
  return {};
}

Status Engine::random_uuid(Uuid& out) {
  VISAGE_TRY(random({out.bytes, sizeof out.bytes}));
  out.bytes[6] = static_cast<uint8_t>((out.bytes[6] & 0x0F) | 0x40);
  out.bytes[8] = static_cast<uint8_t>((out.bytes[8] & 0x3F) | 0x80);
  return {};
}

}  // namespace visage::crypto
