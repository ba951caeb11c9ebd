// RAND_METHOD is the one hook below RAND_bytes() that OpenSSL 3.0 has for all callers; it is deprecated for
// products, which should write a provider instead.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "protection_random.h"

#include <openssl/rand.h>

namespace visage::bench::protection {
namespace {

Random& generator() {
  static Random random;
  return random;
}

int fill(unsigned char* out, int size) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(generator()() >> 56);
  return 1;
}

int status() {
  return 1;
}

const RAND_METHOD kRepeatable = {nullptr, fill, nullptr, nullptr, fill, status};

}  // namespace

bool seed_libcrypto(uint64_t seed) {
  generator().seed(seed);
  return RAND_set_rand_method(&kRepeatable) == 1;
}

}  // namespace visage::bench::protection
