// The agreement on a frame key, over libcrypto's EVP.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "sidecar/liveness/frame.h"

namespace visage::liveness {
namespace {

constexpr std::string_view kLabel = "visage frame 1";
constexpr const char* kCurve = "P-256";

struct Free {
  void operator()(EVP_PKEY* value) const { EVP_PKEY_free(value); }
  void operator()(EVP_PKEY_CTX* value) const { EVP_PKEY_CTX_free(value); }
  void operator()(OSSL_PARAM_BLD* value) const { OSSL_PARAM_BLD_free(value); }
  void operator()(OSSL_PARAM* value) const { OSSL_PARAM_free(value); }
  void operator()(BIGNUM* value) const { BN_clear_free(value); }
  void operator()(EC_GROUP* value) const { EC_GROUP_free(value); }
  void operator()(EC_POINT* value) const { EC_POINT_free(value); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

EVP_PKEY* import(const char* parameter_name, Bytes public_point, const BIGNUM* private_scalar) {
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  if (!builder || !context ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, kCurve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), parameter_name, public_point.data(),
                                       public_point.size()) != 1 ||
      (private_scalar != nullptr &&
       OSSL_PARAM_BLD_push_BN_pad(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, private_scalar, kScalarSize) != 1))
    return nullptr;
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  EVP_PKEY* key = nullptr;
  if (!parameters || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key,
                        private_scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        parameters.get()) != 1)
    return nullptr;
  return key;
}

}  // namespace

FrameKeyPair::~FrameKeyPair() {
  EVP_PKEY_free(static_cast<EVP_PKEY*>(key_));
}

bool FrameKeyPair::take(void* key) {
  key_ = key;
  size_t size = 0;
  return key != nullptr &&
         EVP_PKEY_get_octet_string_param(static_cast<EVP_PKEY*>(key), OSSL_PKEY_PARAM_PUB_KEY, point_.data(),
                                         point_.size(), &size) == 1 &&
         size == kPointSize;
}

std::unique_ptr<FrameKeyPair> FrameKeyPair::create() {
  std::unique_ptr<FrameKeyPair> pair(new FrameKeyPair());
  const bool made = pair->take(EVP_EC_gen(kCurve));
  ERR_clear_error();
  return made ? std::move(pair) : nullptr;
}

std::unique_ptr<FrameKeyPair> FrameKeyPair::from_private(Bytes scalar) {
  std::unique_ptr<FrameKeyPair> pair(new FrameKeyPair());
  const Owned<EC_GROUP> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Owned<BIGNUM> value(BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr));
  const Owned<EC_POINT> point(group ? EC_POINT_new(group.get()) : nullptr);
  PublicPoint bytes{};
  const bool made = value && point &&
                    EC_POINT_mul(group.get(), point.get(), value.get(), nullptr, nullptr, nullptr) == 1 &&
                    EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, bytes.data(),
                                       bytes.size(), nullptr) == kPointSize &&
                    pair->take(import(OSSL_PKEY_PARAM_PUB_KEY, bytes, value.get()));
  ERR_clear_error();
  return made ? std::move(pair) : nullptr;
}

Status FrameKeyPair::agree(crypto::Engine& engine, Bytes other, Bytes page, Bytes daemon, Bytes session_nonce,
                           FrameKey& out) const {
  const Owned<EVP_PKEY> peer(other.size() == kPointSize && other[0] == 4
                                 ? import(OSSL_PKEY_PARAM_PUB_KEY, other, nullptr)
                                 : nullptr);
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(static_cast<EVP_PKEY*>(key_), nullptr));
  Secret<KeyBytes<32>> shared;
  size_t size = sizeof shared.value.bytes;
  // EVP_PKEY_derive_set_peer() checks that the point is on the curve.
  const bool agreed = peer && context && EVP_PKEY_derive_init(context.get()) == 1 &&
                      EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                      EVP_PKEY_derive(context.get(), shared.value.bytes, &size) == 1 && size == 32;
  ERR_clear_error();
  if (!agreed) return Status::error(Code::kMalformed, "frame key: not a public point of P-256");
  std::array<uint8_t, kLabel.size() + 2 * kPointSize> info{};
  Writer writer(info);
  writer.bytes(as_bytes(kLabel));
  writer.bytes(page);
  writer.bytes(daemon);
  if (!writer.ok() || writer.position() != info.size())
    return Status::error(Code::kInvalidArgument, "frame key: two points are needed");
  return engine.hkdf(crypto::Suite::kAes256Gcm, shared.value.view(), {}, session_nonce, info,
                     out.value.span());
}

}  // namespace visage::liveness
