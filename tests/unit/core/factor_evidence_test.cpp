// Signed evidence: assertions of a one-time code's service, and certificates that sign the nonce. [6.6e]
#include <openssl/x509v3.h>

#include <ctime>

#include "core/base/base64.h"
#include "core/factor/assertion.h"
#include "core/factor/certificate.h"
#include "core/statement/openssl.h"
#include "support.h"

namespace visage::factor {
namespace {

using namespace statement;

using test::Buffer;

Key new_key(const char* kind) {
  if (std::string_view(kind) == "EC") return Key(EVP_EC_gen("P-256"));
  if (std::string_view(kind) == "RSA") return Key(EVP_RSA_gen(2048));
  if (std::string_view(kind) == "RSA-1024") return Key(EVP_RSA_gen(1024));
  return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, kind));
}

Buffer signature_of(EVP_PKEY* key, std::string_view message) {
  const Context context(EVP_MD_CTX_new());
  const char* digest = EVP_PKEY_is_a(key, "ED25519") ? nullptr : "SHA256";
  EXPECT_EQ(1, EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr, key, nullptr));
  size_t size = 1024;
  Buffer out(size);
  EXPECT_EQ(1, EVP_DigestSign(context.get(), out.data(), &size,
                              reinterpret_cast<const uint8_t*>(message.data()), message.size()));
  out.resize(size);
  return out;
}

std::string base64_of(Bytes bytes) {
  std::string out(base64_size(bytes.size()), '\0');
  encode_base64(bytes, out.data());
  return out;
}

template <typename Write>
std::string pem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(1, write(bio.get()));
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}
std::string public_pem(EVP_PKEY* key) {
  return pem([&](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key); });
}

const std::string kText = "visage/otp/1\nservice: sms\nsubject: alice\nnonce: " + std::string(64, 'a') +
                          "\nissued: 1790000000\nexpires: 1790000300\n";

std::string signed_by(EVP_PKEY* key, const std::string& text) {
  return text + "signature: " + base64_of(signature_of(key, text)) + "\n";
}

TEST(FactorAssertion, HoldsForTheKeyThatSignedIt) {
  for (const char* kind : {"ED25519", "EC"}) {
    const Key key = new_key(kind);
    const Key other = new_key(kind);
    const std::string text = signed_by(key.get(), kText);
    Assertion assertion;
    ASSERT_OK(parse_assertion(text, assertion));
    EXPECT_EQ("sms", assertion.service);
    EXPECT_EQ("alice", assertion.subject);
    EXPECT_EQ(Buffer(32, 0xAA), Buffer(assertion.nonce, assertion.nonce + 32));
    EXPECT_EQ(1790000000, assertion.issued_at);
    EXPECT_EQ(1790000300, assertion.expires_at);
    EXPECT_OK(verify_assertion(assertion, public_pem(key.get())));
    EXPECT_EQ(Code::kAuthenticationFailed, verify_assertion(assertion, public_pem(other.get())).code);
    // Without the last line feed it is the same.
    const std::string shorter = text.substr(0, text.size() - 1);
    ASSERT_OK(parse_assertion(shorter, assertion));
    EXPECT_OK(verify_assertion(assertion, public_pem(key.get())));
  }
}

TEST(FactorAssertion, NoAlteredByteHolds) {
  const Key key = new_key("ED25519");
  const std::string text = signed_by(key.get(), kText);
  const std::string key_pem = public_pem(key.get());
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    std::string altered = text;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    Assertion assertion;
    EXPECT_FALSE(parse_assertion(altered, assertion).ok() && verify_assertion(assertion, key_pem).ok()) << i;
  }
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    Assertion assertion;
    const std::string cut = text.substr(0, size);
    EXPECT_FALSE(parse_assertion(cut, assertion).ok() && verify_assertion(assertion, key_pem).ok()) << size;
  }
}

TEST(FactorAssertion, OtherFormsAreMalformed) {
  const Key key = new_key("ED25519");
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = kText;
    text.replace(text.find(from), from.size(), to);
    return signed_by(key.get(), text);
  };
  Assertion assertion;
  for (const std::string& text :
       {replaced("otp/1", "otp/2"), replaced("service: sms", "service: "), replaced("subject: alice\n", ""),
        replaced("aaaa", "AAAA"), replaced("aaaa", "aaa"), replaced("1790000000", "01790000000"),
        replaced("1790000300", "-1"), replaced("1790000300", "1e9"), replaced("\nissued", "\nx: y\nissued"),
        replaced("alice", "al\tice"), replaced("alice", std::string(257, 'a')),
        signed_by(key.get(), kText) + "more\n", "\n" + signed_by(key.get(), kText), kText})
    EXPECT_EQ(Code::kMalformed, parse_assertion(text, assertion).code) << text;
}

TEST(FactorAssertion, KeysAreOfTheKindsThatWeKnow) {
  for (const char* kind : {"ED25519", "EC"})
    EXPECT_OK(statement::check_public_key(public_pem(new_key(kind).get())));
  for (const char* kind : {"RSA", "X25519", "ED448"})
    EXPECT_EQ(Code::kInvalidArgument, statement::check_public_key(public_pem(new_key(kind).get())).code)
        << kind;
  EXPECT_EQ(Code::kInvalidArgument, statement::check_public_key("").code);
  EXPECT_EQ(Code::kInvalidArgument,
            statement::check_public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").code);
}

constexpr int64_t kNow = 1790000000;
constexpr int64_t kDay = 86400;

struct Issued {
  Key key;
  std::unique_ptr<X509, Free> certificate;
  std::string text() const {
    return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
  }
};

struct Wish {
  const char* name;
  bool authority = false;
  long serial = 1;
  int64_t from = kNow - kDay, until = kNow + kDay;
  const char* usage = nullptr;
  const char* extended = nullptr;
  const char* kind = "EC";
};

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  ASSERT_NE(nullptr, extension) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Issued issue(const Wish& wish, const Issued* issuer) {
  Issued out;
  out.key = new_key(wish.kind);
  out.certificate.reset(X509_new());
  X509* certificate = out.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), wish.serial);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.name), -1, -1, 0);
  X509* by = issuer != nullptr ? issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(by));
  ASN1_TIME_set(X509_getm_notBefore(certificate), wish.from);
  ASN1_TIME_set(X509_getm_notAfter(certificate), wish.until);
  X509_set_pubkey(certificate, out.key.get());
  add_extension(certificate, by, NID_basic_constraints,
                wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  const char* usage = wish.usage != nullptr ? wish.usage
                      : wish.authority      ? "critical,keyCertSign,cRLSign"
                                            : nullptr;
  if (usage != nullptr) add_extension(certificate, by, NID_key_usage, usage);
  if (wish.extended != nullptr) add_extension(certificate, by, NID_ext_key_usage, wish.extended);
  add_extension(certificate, by, NID_subject_key_identifier, "hash");
  add_extension(certificate, by, NID_authority_key_identifier, "keyid");
  EVP_PKEY* key = issuer != nullptr ? issuer->key.get() : out.key.get();
  EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
  return out;
}

std::string revocation_list(const Issued& issuer, std::initializer_list<long> serials,
                            int64_t until = kNow + kDay) {
  const std::unique_ptr<X509_CRL, Free> list(X509_CRL_new());
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
  ASN1_TIME* time = ASN1_TIME_set(nullptr, kNow - kDay);
  X509_CRL_set1_lastUpdate(list.get(), time);
  for (const long serial : serials) {
    X509_REVOKED* revoked = X509_REVOKED_new();
    ASN1_INTEGER* number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(revoked, number);
    X509_REVOKED_set_revocationDate(revoked, time);
    X509_CRL_add0_revoked(list.get(), revoked);
    ASN1_INTEGER_free(number);
  }
  ASN1_TIME_set(time, until);
  X509_CRL_set1_nextUpdate(list.get(), time);
  ASN1_TIME_free(time);
  ASN1_INTEGER* number = ASN1_INTEGER_new();
  ASN1_INTEGER_set(number, 1);
  X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, number, 0, 0);
  ASN1_INTEGER_free(number);
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.certificate.get(), nullptr, nullptr, list.get(), 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid");
  X509_CRL_add_ext(list.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_CRL_sort(list.get());
  EXPECT_GT(X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()), 0);
  return pem([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list.get()); });
}

const std::string kMessage = "visage/certificate/1\nsession: …\n";

std::string evidence(const Issued& leaf, const std::string& intermediates = "",
                     const std::string& message = kMessage) {
  const Buffer signature = signature_of(leaf.key.get(), message);
  return leaf.text() + intermediates + "-----BEGIN SIGNATURE-----\n" + base64_of(signature) +
         "\n-----END SIGNATURE-----\n";
}

class FactorCertificate : public ::testing::Test {
 protected:
  Status check(const std::string& given, const std::string& anchors, const std::string& lists = "",
               bool require = false, int64_t now = kNow) {
    return verify_certificate(given, as_bytes(kMessage), {anchors, lists, require}, now, fingerprint_);
  }

  const Issued root_ = issue({.name = "root", .authority = true}, nullptr);
  const Issued middle_ = issue({.name = "middle", .authority = true, .serial = 2}, &root_);
  uint8_t fingerprint_[kFingerprintSize];
};

TEST_F(FactorCertificate, ChainsToAnAnchorAndSignsTheNonce) {
  for (const char* kind : {"EC", "RSA", "ED25519"}) {
    const Issued leaf = issue({.name = "alice", .serial = 3, .kind = kind}, &middle_);
    EXPECT_OK(check(evidence(leaf, middle_.text()), root_.text()));
    uint8_t enrolled[kFingerprintSize];
    ASSERT_OK(certificate_fingerprint(leaf.text(), enrolled));
    EXPECT_EQ(0, std::memcmp(enrolled, fingerprint_, sizeof enrolled));
    // Not without the authority between, not under another root, and no other text.
    EXPECT_EQ(Code::kAuthenticationFailed, check(evidence(leaf), root_.text()).code);
    const Issued other = issue({.name = "root", .authority = true}, nullptr);
    EXPECT_EQ(Code::kAuthenticationFailed, check(evidence(leaf, middle_.text()), other.text()).code);
    EXPECT_EQ(Code::kAuthenticationFailed, check(evidence(leaf, middle_.text()), "").code);
    EXPECT_EQ(Code::kAuthenticationFailed,
              check(evidence(leaf, middle_.text(), "another"), root_.text()).code);
  }
}

TEST_F(FactorCertificate, IsValidForATime) {
  const Issued leaf = issue({.name = "alice", .from = kNow - 100, .until = kNow + 100}, &root_);
  for (const int64_t now : {kNow - 100, kNow, kNow + 99})
    EXPECT_OK(check(evidence(leaf), root_.text(), "", false, now));
  for (const int64_t now : {kNow - 101, kNow + 101})
    EXPECT_EQ(Code::kAuthenticationFailed, check(evidence(leaf), root_.text(), "", false, now).code) << now;
}

TEST_F(FactorCertificate, IsForSigning) {
  for (const char* usage : {"critical,digitalSignature", "digitalSignature,keyEncipherment"})
    EXPECT_OK(check(evidence(issue({.name = "a", .usage = usage}, &root_)), root_.text())) << usage;
  for (const char* usage : {"critical,keyAgreement", "critical,keyEncipherment", "critical,nonRepudiation"})
    EXPECT_FALSE(check(evidence(issue({.name = "a", .usage = usage}, &root_)), root_.text()).ok()) << usage;
  EXPECT_OK(check(evidence(issue({.name = "a", .extended = "clientAuth"}, &root_)), root_.text()));
  EXPECT_FALSE(check(evidence(issue({.name = "a", .extended = "serverAuth"}, &root_)), root_.text()).ok());
  EXPECT_FALSE(check(evidence(issue({.name = "a", .kind = "RSA-1024"}, &root_)), root_.text()).ok());
  // Who was issued no authority is none.
  const Issued alice = issue({.name = "alice", .serial = 7}, &root_);
  const Issued forged = issue({.name = "bob", .serial = 8}, &alice);
  EXPECT_FALSE(check(evidence(forged, alice.text()), root_.text()).ok());
}

TEST_F(FactorCertificate, IsNotRevoked) {
  const Issued leaf = issue({.name = "alice", .serial = 9}, &middle_);
  const std::string given = evidence(leaf, middle_.text());
  const std::string root_list = revocation_list(root_, {});
  EXPECT_OK(check(given, root_.text(), root_list + revocation_list(middle_, {8, 10}), true));
  EXPECT_FALSE(check(given, root_.text(), root_list + revocation_list(middle_, {9}), true).ok());
  EXPECT_FALSE(check(given, root_.text(), root_list + revocation_list(middle_, {9}), false).ok());
  EXPECT_FALSE(
      check(given, root_.text(), revocation_list(root_, {2}) + revocation_list(middle_, {}), true).ok());
  // A list that is missing, too old, or signed by somebody else.
  EXPECT_FALSE(check(given, root_.text(), root_list, true).ok());
  EXPECT_OK(check(given, root_.text(), root_list, false));
  EXPECT_FALSE(check(given, root_.text(), root_list + revocation_list(middle_, {}, kNow - 1), true).ok());
  const Issued stranger = issue({.name = "middle", .authority = true}, nullptr);
  EXPECT_FALSE(check(given, root_.text(), root_list + revocation_list(stranger, {}), true).ok());
}

TEST_F(FactorCertificate, EvidenceOfOtherForms) {
  const Issued leaf = issue({.name = "alice"}, &root_);
  const std::string good = evidence(leaf);
  for (const std::string& text :
       {std::string(), leaf.text(), good.substr(leaf.text().size()), std::string("x\n") + leaf.text(),
        std::string("-----BEGIN SIGNATURE-----\n\n-----END SIGNATURE-----\n"),
        good.substr(0, good.size() / 2),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n" + good,
        std::string(40000, 'x') + good})
    EXPECT_EQ(Code::kMalformed, check(text, root_.text()).code) << text.substr(0, 40);
  std::string many = leaf.text();
  for (int i = 0; i < 9; ++i) many += middle_.text();
  EXPECT_EQ(Code::kMalformed, check(many + good.substr(leaf.text().size()), root_.text()).code);
  for (size_t at = 40; at < good.size(); at += 7) {
    std::string altered = good;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    (void)check(altered, root_.text());  // whatever it says, it reads nothing that is not there
  }
}

TEST_F(FactorCertificate, RowsAreCheckedOnEntry) {
  const Issued leaf = issue({.name = "alice"}, &root_);
  EXPECT_OK(check_trust_anchor(root_.text()));
  EXPECT_EQ(Code::kInvalidArgument, check_trust_anchor(leaf.text()).code);
  EXPECT_EQ(Code::kInvalidArgument, check_trust_anchor(root_.text() + root_.text()).code);
  EXPECT_EQ(Code::kInvalidArgument, check_trust_anchor("").code);
  EXPECT_OK(check_revocation_list(revocation_list(root_, {1})));
  EXPECT_EQ(Code::kInvalidArgument, check_revocation_list(root_.text()).code);
}

TEST(FactorCertificateMessage, NamesSessionAndNonce) {
  uint8_t nonce[kNonceSize];
  std::memset(nonce, 0xB7, sizeof nonce);
  char text[kCertificateMessageSize];
  certificate_message(test::uuid(0xA5), nonce, text);
  std::string expected = "visage/certificate/1\nsession: a5a5a5a5-a5a5-a5a5-a5a5-a5a5a5a5a5a5\nnonce: ";
  for (size_t i = 0; i < kNonceSize; ++i) expected += "b7";
  EXPECT_EQ(expected + "\n", std::string(text, sizeof text));
}

}  // namespace
}  // namespace visage::factor
