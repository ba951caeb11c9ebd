// Over SHA256_CTX, for the reasons that hmac.h gives; SHA256() would fetch the algorithm and allocate each
// time.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "core/crypto/engine.h"

namespace visage::crypto {

void sha256(Bytes first, Bytes second, uint8_t out[kDigestSize]) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, first.data(), first.size());
  SHA256_Update(&context, second.data(), second.size());
  SHA256_Final(out, &context);
}

void sha256(Bytes bytes, uint8_t out[kDigestSize]) {
  sha256(bytes, {}, out);
}

}  // namespace visage::crypto
