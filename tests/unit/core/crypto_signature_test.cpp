// Ed25519: the vectors of RFC 8032, section 7.1, and every bit of what is signed.
#include "core/crypto/signature.h"

#include "support.h"

namespace visage::crypto {
namespace {

using test::Buffer;
using test::from_hex;
using test::to_hex;

struct Vector {
  const char *seed, *key, *message, *signature;
};
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
     "454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
     "3dca179c138ac17ad9bef1177331a704"},
};

SigningKey signing_key(std::string_view hex) {
  SigningKey key;
  std::memcpy(key.seed, from_hex(hex).data(), sizeof key.seed);
  return key;
}

TEST(CryptoSignature, PublishedVectors) {
  for (const Vector& vector : kVectors) {
    const SigningKey key = signing_key(vector.seed);
    VerifyingKey verifying;
    ASSERT_OK(public_key(key, verifying));
    EXPECT_EQ(to_hex(verifying.bytes), vector.key);
    uint8_t signature[kEd25519SignatureSize];
    ASSERT_OK(sign(key, from_hex(vector.message), signature));
    EXPECT_EQ(to_hex(signature), vector.signature);
    EXPECT_OK(verify(verifying, from_hex(vector.message), signature));
  }
}

TEST(CryptoSignature, AKeptKeySignsAgainAndAgain) {
  Signer signer;
  uint8_t signature[kEd25519SignatureSize];
  EXPECT_EQ(signer.sign(from_hex("00"), signature).code, Code::kInternal) << "no key";
  for (const Vector& vector : kVectors) {
    ASSERT_OK(signer.hold(signing_key(vector.seed)));
    for (int i = 0; i < 3 && signer.holds_key(); ++i) {
      ASSERT_OK(signer.sign(from_hex(vector.message), signature));
      EXPECT_EQ(to_hex(signature), vector.signature);
    }
  }
  signer.drop();
  EXPECT_FALSE(signer.holds_key());
}

Status verify(Bytes key, Bytes message, const Buffer& signature) {
  VerifyingKey verifying;
  std::memcpy(verifying.bytes, key.data(), sizeof verifying.bytes);
  return verify(verifying, message, signature.data());
}

TEST(CryptoSignature, EveryBitCounts) {
  const Vector& vector = kVectors[3];
  Buffer key = from_hex(vector.key), message = from_hex(vector.message),
         signature = from_hex(vector.signature);
  for (Buffer* part : {&key, &message, &signature})
    for (size_t bit = 0; bit < part->size() * 8; ++bit) {
      (*part)[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      ASSERT_EQ(verify(key, message, signature).code, Code::kAuthenticationFailed) << bit;
      (*part)[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  EXPECT_OK(verify(key, message, signature));
}

// RFC 8032, 5.1.7: S + L in place of S would be a second signature of the same message.
TEST(CryptoSignature, IsTheOnlyOneOfItsMessage) {
  const Vector& vector = kVectors[1];
  Buffer signature = from_hex(vector.signature);
  EXPECT_OK(verify(from_hex(vector.key), from_hex(vector.message), signature));
  const Buffer order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    carry += signature[32 + i] + order[i];
    signature[32 + i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_EQ(verify(from_hex(vector.key), from_hex(vector.message), signature).code,
            Code::kAuthenticationFailed);
}

}  // namespace
}  // namespace visage::crypto
