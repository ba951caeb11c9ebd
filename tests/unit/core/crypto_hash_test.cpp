// Hashes, HMAC and HKDF of both suites: published vectors, then OpenSSL's own implementations on random
// sizes.
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "core/crypto/hmac.h"
#include "support.h"

namespace visage::crypto {
namespace {

using test::Buffer;
using test::engine;
using test::from_hex;
using test::to_hex;

std::string digest_of(Suite suite, Bytes bytes) {
  uint8_t out[kDigestSize];
  EXPECT_OK(engine().digest(suite, bytes, out));
  return to_hex(out);
}
std::string hmac_of(Suite suite, Bytes key, Bytes message) {
  uint8_t out[kDigestSize];
  EXPECT_OK(engine().hmac(suite, key, {&message, 1}, out));
  return to_hex(out);
}
std::string hkdf_of(Suite suite, Bytes ikm, Bytes salt, Bytes info, size_t size) {
  Buffer out(size);
  EXPECT_OK(engine().hkdf(suite, ikm, {}, salt, info, out));
  return to_hex(out);
}
Buffer ascending(uint8_t first, size_t size) {
  Buffer bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(first + i);
  return bytes;
}

// FIPS 180-4 and GB/T 32905-2016 appendix A.
TEST(CryptoDigest, PublishedVectors) {
  EXPECT_EQ(digest_of(Suite::kAes256Gcm, as_bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(Suite::kSm4CtrHmacSm3, as_bytes("abc")),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
  std::string sixteen_times;
  for (int i = 0; i < 16; ++i) sixteen_times += "abcd";
  EXPECT_EQ(digest_of(Suite::kSm4CtrHmacSm3, as_bytes(sixteen_times)),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
}

// RFC 4231 cases 1, 2 and 6 (a key longer than a block).
TEST(CryptoHmac, Rfc4231) {
  const Suite suite = Suite::kAes256Gcm;
  EXPECT_EQ(hmac_of(suite, Buffer(20, 0x0b), as_bytes("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_of(suite, as_bytes("Jefe"), as_bytes("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      hmac_of(suite, Buffer(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// The HMAC-SM3 examples that GB/T implementations share (the inputs of RFC 4231 and RFC 4868, SM3 outputs).
TEST(CryptoHmac, Sm3PublishedVectors) {
  const Suite suite = Suite::kSm4CtrHmacSm3;
  EXPECT_EQ(hmac_of(suite, ascending(1, 37), Buffer(50, 0xcd)),
            "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae");
  EXPECT_EQ(hmac_of(suite, Buffer(32, 0x0b), as_bytes("Hi There")),
            "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e");
  EXPECT_EQ(hmac_of(suite, as_bytes("Jefe"), as_bytes("what do ya want for nothing?")),
            "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882");
}

TEST(CryptoHmac, AgreesWithOpenSslOnEverySize) {
  std::mt19937_64 random(3);
  const EVP_MD* const hashes[] = {EVP_sha256(), EVP_sm3()};
  for (Suite suite : test::kSuites) {
    const EVP_MD* hash = hashes[suite == Suite::kSm4CtrHmacSm3];
    for (size_t key_size = 0; key_size <= 130; ++key_size) {  // across the block size of 64
      const Buffer key = test::random_bytes(random, key_size);
      const Buffer message = test::random_bytes(random, random() % 200);
      uint8_t expected[kDigestSize];
      unsigned length = 0;
      ASSERT_NE(HMAC(hash, key.data(), static_cast<int>(key.size()), message.data(), message.size(), expected,
                     &length),
                nullptr);
      ASSERT_EQ(hmac_of(suite, key, message), to_hex(expected)) << suite_name(suite) << ", key " << key_size;
    }
  }
}

// The padding is ours: every place in a block that a message can end at.
TEST(CryptoHmac, AgreesWithOpenSslForEveryEndOfAMessage) {
  std::mt19937_64 random(8);
  const Buffer key = test::random_bytes(random, 32), bytes = test::random_bytes(random, 200);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    uint8_t expected[kDigestSize];
    unsigned length = 0;
    ASSERT_NE(HMAC(EVP_sha256(), key.data(), 32, bytes.data(), size, expected, &length), nullptr);
    ASSERT_EQ(hmac_of(Suite::kAes256Gcm, key, Bytes(bytes).first(size)), to_hex(expected)) << size;
  }
}

TEST(CryptoHmac, PartsAreReadAsOneMessage) {
  std::mt19937_64 random(4);
  for (Suite suite : test::kSuites) {
    const Buffer key = test::random_bytes(random, 32), message = test::random_bytes(random, 150);
    for (size_t split : {0u, 1u, 63u, 64u, 65u, 150u}) {
      const Bytes parts[] = {Bytes(message).first(split), Bytes(message).subspan(split)};
      uint8_t out[kDigestSize];
      ASSERT_OK(engine().hmac(suite, key, parts, out));
      EXPECT_EQ(to_hex(out), hmac_of(suite, key, message)) << split;
    }
  }
}

TEST(CryptoHmac, AnObjectServesManyMessages) {
  const Buffer key(32, 0x61);
  HmacSha256 mac(key);
  for (int i = 0; i < 3; ++i) {
    uint8_t out[kDigestSize];
    mac.update(as_bytes("message"));
    mac.finish(out);
    EXPECT_EQ(to_hex(out), hmac_of(Suite::kAes256Gcm, key, as_bytes("message")));
  }
}

// [8.1.4a] neither the keyed states nor what was being hashed is left behind.
TEST(CryptoHmac, DestructorWipes) {
  alignas(HmacSha256) uint8_t memory[sizeof(HmacSha256)];
  HmacSha256* mac = new (memory) HmacSha256(Buffer(32, 0x61));
  mac->update(as_bytes("half a message"));
  mac->~HmacSha256();
  const volatile uint8_t* after = memory;
  for (size_t i = 0; i < sizeof memory; ++i) ASSERT_EQ(after[i], 0) << "byte " << i;
}

// RFC 5869 appendix A.1 to A.3.
TEST(CryptoHkdf, Rfc5869) {
  const Suite suite = Suite::kAes256Gcm;
  EXPECT_EQ(hkdf_of(suite, Buffer(22, 0x0b), ascending(0x00, 13), ascending(0xf0, 10), 42),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hkdf_of(suite, ascending(0x00, 80), ascending(0x60, 80), ascending(0xb0, 80), 82),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(hkdf_of(suite, Buffer(22, 0x0b), {}, {}, 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

Buffer openssl_hkdf(const char* hash, Bytes ikm, Bytes salt, Bytes info, size_t size) {
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  const auto octets = [](const char* name, Bytes bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(bytes.data()), bytes.size());
  };
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(hash), 0),
      octets(OSSL_KDF_PARAM_KEY, ikm), octets(OSSL_KDF_PARAM_SALT, salt), octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end()};
  Buffer out(size);
  EXPECT_EQ(EVP_KDF_derive(context, out.data(), out.size(), params), 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

TEST(CryptoHkdf, AgreesWithOpenSslInBothSuites) {
  std::mt19937_64 random(5);
  for (Suite suite : test::kSuites) {
    const char* hash = suite == Suite::kAes256Gcm ? "SHA256" : "SM3";
    for (size_t size = 1; size <= 100; ++size) {
      const Buffer ikm = test::random_bytes(random, 32 + random() % 64);
      const Buffer salt = test::random_bytes(random, 1 + random() % 80);
      const Buffer info = test::random_bytes(random, 1 + random() % 80);
      ASSERT_EQ(hkdf_of(suite, ikm, salt, info, size), to_hex(openssl_hkdf(hash, ikm, salt, info, size)))
          << suite_name(suite) << ", " << size;
    }
  }
}

// The engine remembers the last salt of a reference's size.
TEST(CryptoHkdf, ASaltThatComesAgainGivesTheSame) {
  std::mt19937_64 random(9);
  const Buffer ikm = test::random_bytes(random, 64);
  const Buffer salts[] = {test::random_bytes(random, 32), test::random_bytes(random, 32),
                          test::random_bytes(random, 31)};
  for (size_t i : {0u, 0u, 1u, 0u, 2u, 0u, 0u, 1u, 1u, 2u})
    for (std::string_view info : {"x", "y"})
      ASSERT_EQ(hkdf_of(Suite::kAes256Gcm, ikm, salts[i], as_bytes(info), 32),
                to_hex(openssl_hkdf("SHA256", ikm, salts[i], as_bytes(info), 32)));
}

TEST(CryptoHkdf, TwoPartsOfKeyMaterialAreReadAsOne) {
  std::mt19937_64 random(6);
  const Buffer ikm = test::random_bytes(random, 64), salt = test::random_bytes(random, 32);
  for (Suite suite : test::kSuites) {
    Buffer out(48);
    ASSERT_OK(engine().hkdf(suite, Bytes(ikm).first(32), Bytes(ikm).subspan(32), salt, as_bytes("x"), out));
    EXPECT_EQ(to_hex(out), hkdf_of(suite, ikm, salt, as_bytes("x"), 48));
  }
}

TEST(CryptoHkdf, RefusesMoreThan255Blocks) {
  Buffer out(255 * 32 + 1);
  for (Suite suite : test::kSuites) {
    EXPECT_OK(engine().hkdf(suite, {}, {}, {}, {}, MutableBytes(out).first(255 * 32)));
    EXPECT_EQ(engine().hkdf(suite, {}, {}, {}, {}, out).code, Code::kInternal);
  }
}

TEST(CryptoHkdf, SuitesDeriveDifferentKeys) {
  const Buffer ikm(32, 0x31);
  EXPECT_NE(hkdf_of(Suite::kAes256Gcm, ikm, {}, as_bytes("x"), 32),
            hkdf_of(Suite::kSm4CtrHmacSm3, ikm, {}, as_bytes("x"), 32));
}

}  // namespace
}  // namespace visage::crypto
