#include "core/factor/certificate.h"

#include <openssl/x509v3.h>

#include "core/crypto/engine.h"
#include "core/statement/openssl.h"

namespace visage::factor {
namespace {

using namespace statement;

using Certificate = std::unique_ptr<X509, Free>;
using RevocationList = std::unique_ptr<X509_CRL, Free>;
using Certificates = std::unique_ptr<STACK_OF(X509), Free>;
using RevocationLists = std::unique_ptr<STACK_OF(X509_CRL), Free>;

constexpr int kMaxDepth = 5;
constexpr int kMaxIntermediates = 8;
constexpr int kSecurityLevel = 2;  // 112 bits: RSA of 2,048 bits, no SHA-1

Status malformed(const char* what) {
  return Status::error(Code::kMalformed, "certificate: %s", what);
}
Status library_failed(const char* what) {
  return Status::error(Code::kInternal, "libcrypto: %s failed", what);
}

Bio memory(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// One block of PEM, freed with its owner.
struct Block {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  bool read(BIO* bio) { return PEM_read_bio(bio, &name, &header, &data, &size) == 1; }
  bool is(std::string_view what) const { return what == name; }
};

struct Evidence {
  Certificate leaf;
  Certificates intermediates;
  uint8_t signature[512];  // RSA of 4,096 bits
  size_t signature_size = 0;
};

Certificate certificate_of(const Block& block) {
  const unsigned char* at = block.data;
  Certificate certificate(d2i_X509(nullptr, &at, block.size));
  return at == block.data + block.size ? std::move(certificate) : Certificate();
}

Status parse(std::string_view text, Evidence& out) {
  if (text.size() > kMaxCertificateEvidence) return malformed("the evidence is too long");
  const Bio bio = memory(text);
  out.intermediates.reset(sk_X509_new_null());
  if (bio == nullptr || out.intermediates == nullptr) return library_failed("memory");
  while (out.signature_size == 0) {
    Block block;
    if (!block.read(bio.get())) return malformed("the evidence has no block SIGNATURE");
    if (block.is("SIGNATURE")) {
      if (block.size <= 0 || block.size > static_cast<long>(sizeof out.signature))
        return malformed("the signature has an impossible length");
      out.signature_size = static_cast<size_t>(block.size);
      std::memcpy(out.signature, block.data, out.signature_size);
      continue;
    }
    Certificate certificate = block.is("CERTIFICATE") ? certificate_of(block) : nullptr;
    if (certificate == nullptr) return malformed("a block is no certificate");
    if (out.leaf == nullptr) {
      out.leaf = std::move(certificate);
    } else {
      if (sk_X509_num(out.intermediates.get()) == kMaxIntermediates ||
          sk_X509_push(out.intermediates.get(), certificate.get()) == 0)
        return malformed("too many certificates");
      (void)certificate.release();
    }
  }
  if (out.leaf == nullptr) return malformed("the evidence has no certificate");
  return {};
}

Status fingerprint_of(X509* certificate, uint8_t fingerprint[kFingerprintSize]) {
  unsigned size = kFingerprintSize;
  if (X509_digest(certificate, EVP_sha256(), fingerprint, &size) != 1) return library_failed("digest");
  return {};
}

Status add_anchors(X509_STORE* store, std::string_view pem) {
  const Bio bio = memory(pem);
  if (bio == nullptr) return library_failed("memory");
  while (true) {
    const Certificate anchor(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (anchor == nullptr) break;
    if (X509_STORE_add_cert(store, anchor.get()) != 1) return library_failed("trust anchor");
  }
  return {};
}

Status add_lists(STACK_OF(X509_CRL) * lists, std::string_view pem) {
  const Bio bio = memory(pem);
  if (bio == nullptr) return library_failed("memory");
  while (true) {
    RevocationList list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
    if (list == nullptr) break;
    if (sk_X509_CRL_push(lists, list.get()) == 0) return library_failed("revocation list");
    (void)list.release();
  }
  return {};
}

// A chain is refused for a missing list only where one is required.
int pass_missing_list(int ok, X509_STORE_CTX* context) {
  if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_UNABLE_TO_GET_CRL) return ok;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

Status verify_chain(const Evidence& evidence, const TrustAnchors& anchors, int64_t unix_seconds) {
  const std::unique_ptr<X509_STORE, Free> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, Free> context(X509_STORE_CTX_new());
  const RevocationLists lists(sk_X509_CRL_new_null());
  if (store == nullptr || context == nullptr || lists == nullptr) return library_failed("memory");
  VISAGE_TRY(add_anchors(store.get(), anchors.certificates));
  VISAGE_TRY(add_lists(lists.get(), anchors.revocation_lists));
  forget_errors();
  if (X509_STORE_CTX_init(context.get(), store.get(), evidence.leaf.get(), evidence.intermediates.get()) != 1)
    return library_failed("chain");
  X509_STORE_CTX_set0_crls(context.get(), lists.get());
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, unix_seconds);
  X509_VERIFY_PARAM_set_depth(parameters, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  if (X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) != 1 ||
      X509_VERIFY_PARAM_set_flags(
          parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_X509_STRICT) != 1)
    return library_failed("chain");
  if (!anchors.require_revocation_list) X509_STORE_CTX_set_verify_cb(context.get(), pass_missing_list);
  if (X509_verify_cert(context.get()) == 1) return {};
  return Status::error(Code::kAuthenticationFailed, "certificate: %s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

Status verify(const Evidence& evidence, Bytes message, const TrustAnchors& anchors, int64_t unix_seconds) {
  // Unlimited usage reads as all bits set.
  if ((X509_get_key_usage(evidence.leaf.get()) & KU_DIGITAL_SIGNATURE) == 0)
    return Status::error(Code::kAuthenticationFailed, "certificate: its key is not for digital signatures");
  VISAGE_TRY(verify_chain(evidence, anchors, unix_seconds));
  EVP_PKEY* key = X509_get0_pubkey(evidence.leaf.get());
  if (key == nullptr) return malformed("its key cannot be used");
  return verify_signature(key, message, {evidence.signature, evidence.signature_size});
}

Status read_one(std::string_view pem, Certificate& out) {
  const Bio bio = memory(pem);
  if (bio == nullptr) return library_failed("memory");
  out.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  const bool alone = out != nullptr && !Block().read(bio.get());
  forget_errors();
  if (!alone) return Status::error(Code::kInvalidArgument, "not one X.509 certificate in PEM");
  return {};
}

}  // namespace

void certificate_message(const Uuid& session, const uint8_t nonce[kNonceSize],
                         char out[kCertificateMessageSize]) {
  static constexpr char kHex[] = "0123456789abcdef";
  char* at = out;
  const auto text = [&](std::string_view value) {
    std::memcpy(at, value.data(), value.size());
    at += value.size();
  };
  const auto hex = [&](uint8_t byte) {
    *at++ = kHex[byte >> 4];
    *at++ = kHex[byte & 15];
  };
  text("visage/certificate/1\nsession: ");
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    hex(session.bytes[i]);
  }
  text("\nnonce: ");
  for (size_t i = 0; i < kNonceSize; ++i) hex(nonce[i]);
  text("\n");
}

Status verify_certificate(std::string_view evidence_text, Bytes message, const TrustAnchors& anchors,
                          int64_t unix_seconds, uint8_t fingerprint[kFingerprintSize]) {
  Evidence evidence;
  Status status = parse(evidence_text, evidence);
  if (status.ok()) status = verify(evidence, message, anchors, unix_seconds);
  if (status.ok()) status = fingerprint_of(evidence.leaf.get(), fingerprint);
  forget_errors();
  return status;
}

Status certificate_fingerprint(std::string_view pem, uint8_t fingerprint[kFingerprintSize]) {
  Certificate certificate;
  VISAGE_TRY(read_one(pem, certificate));
  return fingerprint_of(certificate.get(), fingerprint);
}

Status check_trust_anchor(std::string_view pem) {
  Certificate certificate;
  VISAGE_TRY(read_one(pem, certificate));
  if (X509_check_ca(certificate.get()) != 1)
    return Status::error(Code::kInvalidArgument, "not the certificate of an authority (basicConstraints CA)");
  return {};
}

Status check_revocation_list(std::string_view pem) {
  const Bio bio = memory(pem);
  if (bio == nullptr) return library_failed("memory");
  const RevocationList list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  const bool alone = list != nullptr && !Block().read(bio.get());
  forget_errors();
  if (!alone) return Status::error(Code::kInvalidArgument, "not one certificate revocation list in PEM");
  return {};
}

}  // namespace visage::factor
