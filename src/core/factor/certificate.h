// An X.509 certificate whose key signs the session's nonce (RFC 5280).
//
// Evidence is PEM: the certificate, then intermediates if there are any, then a block SIGNATURE with the
// bytes of the signature in base64. What is signed is certificate_message().
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/factor/assertion.h"

namespace visage::factor {

inline constexpr size_t kMaxCertificateEvidence = 32768;
inline constexpr size_t kFingerprintSize = 32;

// "visage/certificate/1\nsession: <uuid>\nnonce: <64 hexadecimal digits>\n". More than the bare nonce, so
// that no signature made for another protocol passes here.
inline constexpr size_t kCertificateMessageSize = 21 + 9 + 36 + 1 + 7 + 2 * kNonceSize + 1;
void certificate_message(const Uuid& session, const uint8_t nonce[kNonceSize],
                         char out[kCertificateMessageSize]);

// Who vouches, as PEM blocks one after the other.
struct TrustAnchors {
  std::string_view certificates;
  std::string_view revocation_lists;
  bool require_revocation_list;  // of every authority of the chain; else only of those that have one here
};

// Signature, chain to an anchor, validity, key usage (digitalSignature, clientAuth where the certificate
// limits them), revocation, at least 112 bits of security. `fingerprint` is the SHA-256 of the certificate.
// kMalformed or kAuthenticationFailed when it does not hold, and the message says why; kKeyInvalid when an
// anchor or a list cannot be read.
Status verify_certificate(std::string_view evidence, Bytes message, const TrustAnchors& anchors,
                          int64_t unix_seconds, uint8_t fingerprint[kFingerprintSize]);

// Of a certificate that is to be enrolled: one certificate in PEM.
Status certificate_fingerprint(std::string_view pem, uint8_t fingerprint[kFingerprintSize]);

// For rows on entry. kInvalidArgument says what is missing.
Status check_trust_anchor(std::string_view pem);
Status check_revocation_list(std::string_view pem);

}  // namespace visage::factor
