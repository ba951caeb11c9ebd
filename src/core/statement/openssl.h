// OpenSSL's objects with owners, and the one way that a signature from outside is verified.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>

#include "core/base/bytes.h"
#include "core/base/status.h"

namespace visage::statement {

struct Free {
  void operator()(BIO* value) const { BIO_free_all(value); }
  void operator()(EVP_PKEY* value) const { EVP_PKEY_free(value); }
  void operator()(EVP_MD_CTX* value) const { EVP_MD_CTX_free(value); }
  void operator()(X509* value) const { X509_free(value); }
  void operator()(X509_CRL* value) const { X509_CRL_free(value); }
  void operator()(X509_STORE* value) const { X509_STORE_free(value); }
  void operator()(X509_STORE_CTX* value) const { X509_STORE_CTX_free(value); }
  void operator()(STACK_OF(X509) * value) const { sk_X509_pop_free(value, X509_free); }
  void operator()(STACK_OF(X509_CRL) * value) const { sk_X509_CRL_pop_free(value, X509_CRL_free); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

// OpenSSL keeps what failed in a queue of the thread, where somebody else would find it.
inline void forget_errors() {
  ERR_clear_error();
}

// Ed25519, or SHA-256 with ECDSA (DER) or RSA (PKCS #1 v1.5). kAuthenticationFailed when it does not hold.
Status verify_signature(EVP_PKEY* key, Bytes message, Bytes signature);

}  // namespace visage::statement
