#include "core/crypto/engine.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <new>

#include "core/base/secret.h"
#include "core/crypto/hkdf.h"
#include "core/crypto/hmac.h"

namespace visage::crypto {
namespace {

constexpr size_t kAesKeySize = 32;
constexpr size_t kSm4KeySize = 16;
constexpr size_t kMacKeySize = 32;
constexpr size_t kCtrBlockSize = 16;
constexpr size_t kSaltSize = 32;  // of the salts that come twice

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
  EVP_CIPHER_CTX* kept_gcm = nullptr;  // holds the schedule of kept_key
  EVP_CIPHER_CTX* aes_ecb = nullptr;   // of counters: a keystream
  EVP_CIPHER_CTX* sm4_ctr = nullptr;
  Sm3Contexts sm3;
  bool key_kept = false;
  uint8_t kept_key[kAesKeySize];
  bool suite2_used = false;  // since the last forget_keys()
  // The last salt, which is no secret, as an HMAC key: a reference derives two keys under one salt.
  bool salt_known = false;
  uint8_t salt[kSaltSize];
  HmacSha256Key salt_key;

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
    kept_gcm = context_of("AES-256-GCM");
    aes_ecb = context_of("AES-256-ECB");
    sm4_ctr = context_of("SM4-CTR");
    sm3.sm3 = EVP_MD_fetch(nullptr, "SM3", nullptr);
    sm3.inner_keyed = EVP_MD_CTX_new();
    sm3.outer_keyed = EVP_MD_CTX_new();
    sm3.running = EVP_MD_CTX_new();
    return aes_gcm && kept_gcm && aes_ecb && sm4_ctr && sm3.sm3 && sm3.inner_keyed && sm3.outer_keyed &&
           sm3.running;
  }
  ~State() {
    EVP_MD_CTX_free(sm3.running);
    EVP_MD_CTX_free(sm3.outer_keyed);
    EVP_MD_CTX_free(sm3.inner_keyed);
    EVP_MD_free(sm3.sm3);
    EVP_CIPHER_CTX_free(sm4_ctr);
    EVP_CIPHER_CTX_free(aes_ecb);
    EVP_CIPHER_CTX_free(kept_gcm);
    EVP_CIPHER_CTX_free(aes_gcm);
    wipe(kept_key, sizeof kept_key);
  }

  // AES-256-CTR of zeros from counter zero, as the cipher's blocks of the counters: a third faster than
  // through EVP's CTR, which looks up the length of an IV by name first.
  Status aes_keystream(const uint8_t* key, MutableBytes out) {
    const size_t whole = out.size() - out.size() % kCtrBlockSize;
    uint8_t last[kCtrBlockSize];
    const auto write_counter = [](uint8_t* block, size_t at) {
      const uint64_t counter = __builtin_bswap64(at / kCtrBlockSize);
      std::memset(block, 0, kCtrBlockSize - sizeof counter);
      std::memcpy(block + kCtrBlockSize - sizeof counter, &counter, sizeof counter);
    };
    for (size_t at = 0; at < whole; at += kCtrBlockSize) write_counter(out.data() + at, at);
    write_counter(last, whole);
    int length = 0;
    if (!EVP_EncryptInit_ex2(aes_ecb, nullptr, key, nullptr, nullptr) ||
        !EVP_EncryptUpdate(aes_ecb, out.data(), &length, out.data(), static_cast<int>(whole)) ||
        (whole != out.size() && !EVP_EncryptUpdate(aes_ecb, last, &length, last, kCtrBlockSize)))
      return library_failed("AES-256");
    if (whole != out.size()) {
      std::memcpy(out.data() + whole, last, out.size() - whole);
      wipe(last, sizeof last);
    }
    return {};
  }

  // CTR over `in`, which may be `out`.
  Status ctr_crypt(EVP_CIPHER_CTX* context, const uint8_t* key, const uint8_t* iv, Bytes in, uint8_t* out) {
    int length = 0;
    if (!EVP_EncryptInit_ex2(context, nullptr, key, iv, nullptr) ||
        !EVP_EncryptUpdate(context, out, &length, in.data(), static_cast<int>(in.size())))
      return library_failed("CTR");
    return {};
  }

  // `key` null: the one that the context holds.
  Status gcm_open(EVP_CIPHER_CTX* context, const uint8_t* key, Bytes nonce, Bytes aad, Bytes sealed,
                  MutableBytes out) {
    // Each parameter is looked up by name, so the tag comes with the call that looks some up anyway.
    const OSSL_PARAM tag[] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
                                          const_cast<uint8_t*>(sealed.data() + out.size()),
                                          tag_size(Suite::kAes256Gcm)),
        OSSL_PARAM_construct_end(),
    };
    int length = 0;
    if (!EVP_DecryptInit_ex2(context, nullptr, key, nonce.data(), tag) ||
        !EVP_DecryptUpdate(context, nullptr, &length, aad.data(), static_cast<int>(aad.size())) ||
        !EVP_DecryptUpdate(context, out.data(), &length, sealed.data(), static_cast<int>(out.size())))
      return library_failed("AES-256-GCM");
    if (EVP_DecryptFinal_ex(context, out.data() + length, &length) <= 0) {
      wipe(out.data(), out.size());
      return does_not_open();
    }
    return {};
  }

  Status sm4_open(Bytes key, Bytes nonce, Bytes aad, Bytes sealed, MutableBytes out) {
    const Bytes ciphertext = sealed.first(out.size());
    uint8_t expected[kDigestSize];
    VISAGE_TRY(sm4_tag(key, nonce, aad, ciphertext, expected));
    if (CRYPTO_memcmp(expected, sealed.data() + out.size(), tag_size(Suite::kSm4CtrHmacSm3)) != 0) {
      wipe(out.data(), out.size());
      return does_not_open();
    }
    return sm4_crypt(key, nonce, ciphertext, out.data());
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

namespace {

bool can_open(Suite suite, Bytes key, Bytes nonce, Bytes sealed, MutableBytes out) {
  return key.size() == key_size(suite) && nonce.size() == kNonceSize && sealed.size() >= tag_size(suite) &&
         out.size() == sealed.size() - tag_size(suite);
}

}  // namespace

Status Engine::open(Suite suite, Bytes key, Bytes nonce, Bytes aad, Bytes sealed, MutableBytes out) {
  if (!can_open(suite, key, nonce, sealed, out))
    return Status::error(Code::kInternal, "open called with wrong sizes");
  if (suite == Suite::kSm4CtrHmacSm3) return state_->sm4_open(key, nonce, aad, sealed, out);
  return state_->gcm_open(state_->aes_gcm, key.data(), nonce, aad, sealed, out);
}

Status Engine::open_with_kept_key(Suite suite, Bytes key, Bytes nonce, Bytes aad, Bytes sealed,
                                  MutableBytes out) {
  if (suite != Suite::kAes256Gcm || key.size() != kAesKeySize)
    return open(suite, key, nonce, aad, sealed, out);
  if (!can_open(suite, key, nonce, sealed, out))
    return Status::error(Code::kInternal, "open called with wrong sizes");
  const bool same = state_->key_kept && CRYPTO_memcmp(state_->kept_key, key.data(), kAesKeySize) == 0;
  const Status status =
      state_->gcm_open(state_->kept_gcm, same ? nullptr : key.data(), nonce, aad, sealed, out);
  state_->key_kept = status.code != Code::kInternal;
  if (state_->key_kept && !same) std::memcpy(state_->kept_key, key.data(), kAesKeySize);
  return status;
}

Status Engine::hkdf(Suite suite, Bytes ikm1, Bytes ikm2, Bytes salt, Bytes info, MutableBytes out) {
  if (out.size() > 255 * kDigestSize) return Status::error(Code::kInternal, "HKDF output is too long");
  if (suite == Suite::kAes256Gcm) {
    const auto make_hmac = [](Bytes key) { return HmacSha256(key); };
    if (salt.size() != kSaltSize) {
      hkdf_with([&] { return HmacSha256(salt); }, make_hmac, ikm1, ikm2, info, out);
      return {};
    }
    if (!state_->salt_known || std::memcmp(state_->salt, salt.data(), kSaltSize) != 0) {
      const HmacSha256 keyed(salt);
      state_->salt_key = keyed.key();
      std::memcpy(state_->salt, salt.data(), kSaltSize);
      state_->salt_known = true;
    }
    hkdf_with([&] { return HmacSha256(state_->salt_key); }, make_hmac, ikm1, ikm2, info, out);
    return {};
  }
  state_->suite2_used = true;
  bool ok = true;
  struct Tracked : HmacSm3 {
    bool& all_ok;
    Tracked(Sm3Contexts& contexts, Bytes key, bool& all_ok) : HmacSm3(contexts, key), all_ok(all_ok) {}
    ~Tracked() { all_ok = all_ok && ok(); }
  };
  const auto make_hmac = [&](Bytes key) { return Tracked(state_->sm3, key, ok); };
  hkdf_with([&] { return make_hmac(salt); }, make_hmac, ikm1, ikm2, info, out);
  return ok ? Status() : library_failed("HKDF-SM3");
}

Status Engine::keystream(Suite suite, Bytes seed, MutableBytes out) {
  if (seed.size() != kSeedSize)
    return Status::error(Code::kInternal, "keystream needs a seed of %zu bytes", kSeedSize);
  if (suite == Suite::kAes256Gcm) return state_->aes_keystream(seed.data(), out);
  state_->suite2_used = true;
  std::memset(out.data(), 0, out.size());
  return state_->ctr_crypt(state_->sm4_ctr, seed.data(), seed.data() + kSm4KeySize, out, out.data());
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
  (void)EVP_EncryptInit_ex2(state_->kept_gcm, nullptr, kZeros, kZeros, nullptr);
  wipe(state_->kept_key, sizeof state_->kept_key);
  state_->key_kept = false;
  (void)EVP_EncryptInit_ex2(state_->aes_ecb, nullptr, kZeros, nullptr, nullptr);
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

Status Engine::ordered_uuid(int64_t now, Uuid& out) {
  VISAGE_TRY(random_uuid(out));
  const auto milliseconds = static_cast<uint64_t>(now / 1000);
  for (int i = 0; i < 6; ++i) out.bytes[i] = static_cast<uint8_t>(milliseconds >> (8 * (5 - i)));
  out.bytes[6] = static_cast<uint8_t>((out.bytes[6] & 0x0F) | 0x70);
  return {};
}

}  // namespace visage::crypto
