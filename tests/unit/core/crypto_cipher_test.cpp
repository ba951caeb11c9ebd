// Authenticated encryption and keystreams of both suites.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "support.h"

namespace visage::crypto {
namespace {

using test::Buffer;
using test::engine;
using test::from_hex;
using test::to_hex;

struct Sealed {
  Buffer key, nonce, aad, plaintext, sealed;
};

Sealed sealed_at_random(std::mt19937_64& random, Suite suite, size_t aad_size, size_t size) {
  Sealed made = {test::random_bytes(random, key_size(suite)), test::random_bytes(random, kNonceSize),
                 test::random_bytes(random, aad_size), test::random_bytes(random, size),
                 Buffer(size + tag_size(suite))};
  EXPECT_OK(engine().seal(suite, made.key, made.nonce, made.aad, made.plaintext, made.sealed));
  return made;
}

Status open(Suite suite, const Sealed& sealed, Buffer& out) {
  out.assign(sealed.sealed.size() - tag_size(suite), 0xEE);
  return engine().open(suite, sealed.key, sealed.nonce, sealed.aad, sealed.sealed, out);
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
TEST(CryptoSeal, AesGcmPublishedVector) {
  const Buffer key = from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const Buffer nonce = from_hex("cafebabefacedbaddecaf888");
  const Buffer aad = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Buffer plaintext = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
      "b16aedf5aa0de657ba637b39");
  Buffer sealed(plaintext.size() + 16);
  ASSERT_OK(engine().seal(Suite::kAes256Gcm, key, nonce, aad, plaintext, sealed));
  EXPECT_EQ(to_hex(sealed),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
            "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
}

// Suite 2 written out again with OpenSSL's own SM4-CTR and HMAC: the composition is ours, so this proves it.
TEST(CryptoSeal, Sm4IsEncryptThenMacOverLengthAadNonceCiphertext) {
  std::mt19937_64 random(7);
  const Sealed made = sealed_at_random(random, Suite::kSm4CtrHmacSm3, 70, 90);
  Buffer iv = made.nonce;
  iv.resize(16, 0);
  Buffer expected(90);
  int length = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  ASSERT_TRUE(EVP_EncryptInit_ex(context, EVP_sm4_ctr(), nullptr, made.key.data(), iv.data()));
  ASSERT_TRUE(EVP_EncryptUpdate(context, expected.data(), &length, made.plaintext.data(), 90));
  EVP_CIPHER_CTX_free(context);
  Buffer message = {70, 0, 0, 0, 0, 0, 0, 0};
  for (const Buffer& part : {made.aad, made.nonce, expected})
    message.insert(message.end(), part.begin(), part.end());
  uint8_t tag[32];
  unsigned tag_length = 0;
  HMAC(EVP_sm3(), made.key.data() + 16, 32, message.data(), message.size(), tag, &tag_length);
  expected.insert(expected.end(), tag, tag + 32);
  EXPECT_EQ(to_hex(made.sealed), to_hex(expected));
}

TEST(CryptoSeal, OpensWhatItSealed) {
  std::mt19937_64 random(8);
  for (Suite suite : test::kSuites)
    for (size_t size : {0u, 1u, 15u, 16u, 17u, 128u, 9000u}) {
      const Sealed made = sealed_at_random(random, suite, size % 50, size);
      Buffer out;
      ASSERT_OK(open(suite, made, out)) << suite_name(suite) << " " << size;
      EXPECT_EQ(out, made.plaintext);
    }
}

// [8.2.4c] against tampering: one changed bit anywhere, and nothing is handed out.
TEST(CryptoSeal, EveryBitOfEveryInputIsAuthenticated) {
  std::mt19937_64 random(9);
  for (Suite suite : test::kSuites) {
    Sealed made = sealed_at_random(random, suite, 24, 40);
    for (Buffer* part : {&made.key, &made.nonce, &made.aad, &made.sealed})
      for (size_t bit = 0; bit < part->size() * 8; ++bit) {
        // The first 16 bytes of a suite 2 key only encrypt: a wrong one is caught by nobody else's MAC. Both
        // halves come from one derivation, so the half alone never changes; see docs/formats.md.
        if (part == &made.key && suite == Suite::kSm4CtrHmacSm3 && bit < 128) continue;
        (*part)[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
        Buffer out;
        ASSERT_EQ(open(suite, made, out).code, Code::kAuthenticationFailed)
            << suite_name(suite) << " " << bit;
        ASSERT_NE(out, made.plaintext);
        (*part)[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      }
    Buffer out;
    EXPECT_OK(open(suite, made, out));
  }
}

// Moving the border between AAD and ciphertext must not give the same MAC.
TEST(CryptoSeal, BorderOfAadIsAuthenticated) {
  std::mt19937_64 random(10);
  for (Suite suite : test::kSuites) {
    const Sealed made = sealed_at_random(random, suite, 0, 40);
    Sealed moved = made;
    moved.aad.assign(made.sealed.begin(), made.sealed.begin() + 8);
    moved.sealed.erase(moved.sealed.begin(), moved.sealed.begin() + 8);
    Buffer out;
    EXPECT_EQ(open(suite, moved, out).code, Code::kAuthenticationFailed);
  }
}

// [8.1.4a] a plaintext that did not authenticate is not left in the caller's buffer.
TEST(CryptoSeal, FailedOpenWipesItsOutput) {
  std::mt19937_64 random(11);
  for (Suite suite : test::kSuites) {
    Sealed made = sealed_at_random(random, suite, 8, 64);
    made.sealed.back() ^= 1;
    Buffer out;
    ASSERT_EQ(open(suite, made, out).code, Code::kAuthenticationFailed);
    EXPECT_EQ(out, Buffer(64, 0)) << suite_name(suite);
  }
}

TEST(CryptoSeal, AKeptKeyOpensTheSameAndNothingElse) {
  std::mt19937_64 random(12);
  for (Suite suite : test::kSuites) {
    const Sealed made[] = {sealed_at_random(random, suite, 60, 32), sealed_at_random(random, suite, 9, 77)};
    const auto open_kept = [&](const Sealed& sealed, const Buffer& key) {
      Buffer out(sealed.plaintext.size(), 0xEE);
      const Status status =
          engine().open_with_kept_key(suite, key, sealed.nonce, sealed.aad, sealed.sealed, out);
      EXPECT_EQ(out, status.ok() ? sealed.plaintext : Buffer(out.size(), 0));
      return status.code;
    };
    for (size_t i : {0u, 0u, 1u, 0u, 1u, 1u}) {
      EXPECT_EQ(open_kept(made[i], made[i].key), Code::kOk);
      EXPECT_EQ(open_kept(made[1 - i], made[i].key), Code::kAuthenticationFailed) << "under the kept key";
      EXPECT_EQ(open_kept(made[i], made[i].key), Code::kOk) << "after a failure";
      Buffer out;
      EXPECT_OK(open(suite, made[1 - i], out)) << "the other context is another";
    }
    engine().forget_keys();
    EXPECT_EQ(open_kept(made[1], made[1].key), Code::kOk);
    uint8_t out[32];
    EXPECT_EQ(engine()
                  .open_with_kept_key(suite, made[0].key, Buffer(11), {}, Buffer(32 + tag_size(suite)), out)
                  .code,
              Code::kInternal);
  }
}

TEST(CryptoSeal, WrongSizesAreRefusedBeforeUse) {
  Buffer out(16 + 16);
  const Buffer key(32), nonce(12), plaintext(16);
  const Suite suite = Suite::kAes256Gcm;
  EXPECT_EQ(engine().seal(suite, Buffer(31), nonce, {}, plaintext, out).code, Code::kInternal);
  EXPECT_EQ(engine().seal(suite, Buffer(48), nonce, {}, plaintext, out).code, Code::kInternal);
  EXPECT_EQ(engine().seal(suite, key, Buffer(11), {}, plaintext, out).code, Code::kInternal);
  EXPECT_EQ(engine().seal(suite, key, nonce, {}, Buffer(15), out).code, Code::kInternal);
  EXPECT_EQ(engine().open(suite, key, nonce, {}, Buffer(15), {}).code, Code::kInternal);
  EXPECT_EQ(engine().keystream(suite, Buffer(31), out).code, Code::kInternal);
  EXPECT_EQ(engine().digest(suite, {}, MutableBytes(out).first(31)).code, Code::kInternal);
}

// FIPS 197 (AES-256, zero key, zero block) and GB/T 32907-2016 example 1 (SM4: key = block), as first blocks.
TEST(CryptoKeystream, FirstBlockIsThePublishedCipher) {
  Buffer out(16);
  ASSERT_OK(engine().keystream(Suite::kAes256Gcm, Buffer(32, 0), out));
  EXPECT_EQ(to_hex(out), "dc95c078a2408989ad48a21492842087");
  const std::string block = "0123456789abcdeffedcba9876543210";
  ASSERT_OK(engine().keystream(Suite::kSm4CtrHmacSm3, from_hex(block + block), out));
  EXPECT_EQ(to_hex(out), "681edf34d206965e86b3e94f536e4246");
}

TEST(CryptoKeystream, CounterIsBigEndianOver128Bits) {
  // Block i of the keystream is block 0 under counter + i, also across the carry out of the low 64 bits.
  const Buffer key = from_hex("0123456789abcdeffedcba9876543210");
  const std::string counters[] = {"00000000000000ffffffffffffffffff", "00000000000001000000000000000000",
                                  "00000000000001000000000000000001"};
  Buffer seed = key, whole(48);
  const Buffer first = from_hex(counters[0]);
  seed.insert(seed.end(), first.begin(), first.end());
  ASSERT_OK(engine().keystream(Suite::kSm4CtrHmacSm3, seed, whole));
  for (size_t i = 0; i < 3; ++i) {
    Buffer at = key, block(16);
    const Buffer counter = from_hex(counters[i]);
    at.insert(at.end(), counter.begin(), counter.end());
    ASSERT_OK(engine().keystream(Suite::kSm4CtrHmacSm3, at, block));
    EXPECT_EQ(to_hex(block), to_hex(Bytes(whole).subspan(16 * i, 16))) << i;
  }
}

// Written as the cipher's blocks of counters: the same as OpenSSL's CTR, whole blocks or not.
TEST(CryptoKeystream, AesAgreesWithOpenSslsCtrAtEverySize) {
  std::mt19937_64 random(13);
  const Buffer key = test::random_bytes(random, 32), zeros(5000);
  const uint8_t iv[16] = {};
  Buffer expected(zeros.size());
  int length = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  ASSERT_TRUE(EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), nullptr, key.data(), iv));
  ASSERT_TRUE(EVP_EncryptUpdate(context, expected.data(), &length, zeros.data(), 5000));
  EVP_CIPHER_CTX_free(context);
  for (size_t size : {0u, 1u, 15u, 16u, 17u, 31u, 32u, 100u, 528u, 1040u, 4999u, 5000u}) {
    Buffer out(size, 0xEE);
    ASSERT_OK(engine().keystream(Suite::kAes256Gcm, key, out));
    ASSERT_EQ(out, Buffer(expected.begin(), expected.begin() + static_cast<long>(size))) << size;
  }
}

TEST(CryptoKeystream, OverwritesWhatWasThere) {
  Buffer a(100, 0x00), b(100, 0xFF);
  for (Suite suite : test::kSuites) {
    ASSERT_OK(engine().keystream(suite, Buffer(32, 0x41), a));
    ASSERT_OK(engine().keystream(suite, Buffer(32, 0x41), b));
    EXPECT_EQ(a, b);
  }
}

// RFC 9562, 6.2 and appendix A.6: the example's time, its version and variant, and the rest random.
TEST(CryptoRandom, OrderedUuidsAreLedByTheTime) {
  Uuid a, b, later;
  ASSERT_OK(engine().ordered_uuid(0x017F22E279B0 * int64_t{1000} + 999, a));
  ASSERT_OK(engine().ordered_uuid(0x017F22E279B0 * int64_t{1000}, b));
  ASSERT_OK(engine().ordered_uuid(0x017F22E279B1 * int64_t{1000}, later));
  const uint8_t time[] = {0x01, 0x7F, 0x22, 0xE2, 0x79, 0xB0};
  EXPECT_EQ(std::memcmp(a.bytes, time, sizeof time), 0);
  EXPECT_EQ(a.bytes[6] >> 4, 7);
  EXPECT_EQ(a.bytes[8] >> 6, 2);
  EXPECT_EQ(std::memcmp(a.bytes, b.bytes, sizeof time), 0);
  EXPECT_NE(std::memcmp(a.bytes, b.bytes, sizeof a.bytes), 0);
  EXPECT_LT(std::memcmp(a.bytes, later.bytes, sizeof a.bytes), 0);
}

TEST(CryptoRandom, UuidsAreVersion4AndDiffer) {
  Uuid a, b;
  ASSERT_OK(engine().random_uuid(a));
  ASSERT_OK(engine().random_uuid(b));
  EXPECT_FALSE(a == b);
  for (const Uuid& id : {a, b}) {
    EXPECT_EQ(id.bytes[6] >> 4, 4);
    EXPECT_EQ(id.bytes[8] >> 6, 2);
  }
}

}  // namespace
}  // namespace visage::crypto
