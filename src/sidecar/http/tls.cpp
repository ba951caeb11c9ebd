#include "sidecar/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "sidecar/app/private_file.h"

namespace visage::sidecar::http {
namespace {

constexpr size_t kMaxKeyFile = 64 * 1024;
constexpr size_t kMaxName = 128;

Status tls_error(const char* doing, const std::string& path) {
  char reason[80] = "";
  const unsigned long code = ERR_peek_last_error();
  ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  const char* words = ERR_reason_error_string(code);
  return Status::error(Code::kInvalidArgument, "cannot %s %s: %s", doing, path.c_str(),
                       words != nullptr ? words : reason);
}

Status load_key(SSL_CTX* context, const std::string& path) {
  WipedString pem;
  Status why;
  if (read_private_file(path, kMaxKeyFile, pem, why) != PrivateFile::kRead) return why;
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  // A passphrase callback that has none: without it OpenSSL would ask on the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  EVP_PKEY* key = PEM_read_bio_PrivateKey(memory, nullptr, no_passphrase, nullptr);
  BIO_free(memory);
  if (key == nullptr) return tls_error("read the key in", path);
  const int used = SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
  if (used != 1 || SSL_CTX_check_private_key(context) != 1) return tls_error("use the key in", path);
  return {};
}

std::string printable(const unsigned char* text, int size) {
  if (text == nullptr || size < 1 || static_cast<size_t>(size) > kMaxName) return {};
  const bool plain = std::all_of(text, text + size, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  return plain ? std::string(reinterpret_cast<const char*>(text), static_cast<size_t>(size)) : std::string();
}

std::string alternative_name(X509* certificate) {
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string found;
  for (int i = 0; names != nullptr && found.empty() && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS || name->type == GEN_URI || name->type == GEN_EMAIL)
      found = printable(ASN1_STRING_get0_data(name->d.ia5), ASN1_STRING_length(name->d.ia5));
  }
  GENERAL_NAMES_free(names);
  return found;
}

std::string common_name(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return printable(ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
}

}  // namespace

Status make_tls_context(const TlsFiles& files, TlsContext& out) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return Status::error(Code::kInternal, "OpenSSL cannot make a TLS context");
  SSL_CTX* tls = context.get();
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_num_tickets(tls, 0);
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(
      tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20");  // TLS 1.2; the suites of 1.3 are all AEAD
  if (SSL_CTX_use_certificate_chain_file(tls, files.certificate.c_str()) != 1)
    return tls_error("read the certificate", files.certificate);
  VISAGE_TRY(load_key(tls, files.key));
  if (!files.client_ca.empty()) {
    if (SSL_CTX_load_verify_locations(tls, files.client_ca.c_str(), nullptr) != 1)
      return tls_error("read the client authority", files.client_ca);
    SSL_CTX_set_client_CA_list(tls, SSL_load_client_CA_file(files.client_ca.c_str()));
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | (files.client_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT),
                       nullptr);
  }
  out = std::move(context);
  return {};
}

Status make_tls_client_context(const TlsClientFiles& files, TlsContext& out) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Status::error(Code::kInternal, "OpenSSL cannot make a TLS context");
  SSL_CTX* tls = context.get();
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_options(
      tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(
      tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(tls, files.authority.c_str(), nullptr) != 1)
    return tls_error("read the authority", files.authority);
  if (SSL_CTX_use_certificate_chain_file(tls, files.certificate.c_str()) != 1)
    return tls_error("read the certificate", files.certificate);
  VISAGE_TRY(load_key(tls, files.key));
  out = std::move(context);
  return {};
}

std::string peer_name(const SSL* tls) {
  if (tls == nullptr) return {};
  X509* certificate = SSL_get1_peer_certificate(tls);
  if (certificate == nullptr || SSL_get_verify_result(tls) != X509_V_OK) {
    X509_free(certificate);
    return {};
  }
  std::string name = alternative_name(certificate);
  if (name.empty()) name = common_name(certificate);
  X509_free(certificate);
  return name;
}

}  // namespace visage::sidecar::http
