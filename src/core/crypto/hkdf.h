// HKDF (RFC 5869) over any HMAC of this folder.
#pragma once

#include "core/base/secret.h"
#include "core/crypto/hmac.h"

namespace visage::crypto {

// `salted()` builds an HMAC object keyed with the salt and `make_hmac(key)` one with another key; it must
// have update(), finish() and 32-byte output.
template <typename Salted, typename MakeHmac>
void hkdf_with(Salted salted, MakeHmac make_hmac, Bytes ikm1, Bytes ikm2, Bytes info, MutableBytes out) {
  Secret<KeyBytes<kDigestSize>> prk;
  {
    auto extract = salted();
    extract.update(ikm1);
    extract.update(ikm2);
    extract.finish(prk.value.bytes);
  }
  auto expand = make_hmac(prk.value.view());
  Secret<KeyBytes<kDigestSize>> block;
  uint8_t counter = 0;
  for (size_t done = 0; done < out.size();) {
    if (counter > 0) expand.update(block.value.view());
    expand.update(info);
    ++counter;
    expand.update({&counter, 1});
    expand.finish(block.value.bytes);
    const size_t part = std::min(out.size() - done, kDigestSize);
    std::memcpy(out.data() + done, block.value.bytes, part);
    done += part;
  }
}

}  // namespace visage::crypto
