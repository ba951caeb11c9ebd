// What one protected comparison costs, against its cryptographic floor measured in the same run.
//
// Floor: one HKDF-SHA256 of 64 bytes of key into 32, and one AES-256-GCM open of a reference's size, through
// OpenSSL's EVP with a reused context. Ours: open the reference, derive both its keys, rotate,
// score. The two alternate in short rounds, so that the machine's mood reaches both; medians of the rounds
// are printed.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "bench/json_line.h"
#include "core/match/match.h"
#include "score_eigen.h"

namespace visage::bench {
namespace {

constexpr int kRounds = 201;
constexpr int kCallsPerRound = 500;

void check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench-score: %s\n", status.message);
  std::exit(1);
}

template <typename Call>
double round_us(Call&& call) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < kCallsPerRound; ++i) call();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  return took.count() / kCallsPerRound;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

class Floor {
 public:
  Floor() {
    kdf_ = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    kdf_context_ = EVP_KDF_CTX_new(kdf_);
    cipher_ = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    context_ = EVP_CIPHER_CTX_new();
    int length = 0;
    EVP_EncryptInit_ex2(context_, cipher_, key_, nonce_, nullptr);
    EVP_EncryptUpdate(context_, nullptr, &length, aad_, sizeof aad_);
    EVP_EncryptUpdate(context_, sealed_, &length, plain_, sizeof plain_);
    EVP_EncryptFinal_ex(context_, sealed_, &length);
    EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, 16, sealed_ + sizeof plain_);
  }
  ~Floor() {
    EVP_CIPHER_CTX_free(context_);
    EVP_CIPHER_free(cipher_);
    EVP_KDF_CTX_free(kdf_context_);
    EVP_KDF_free(kdf_);
  }

  void run() {
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm_, sizeof ikm_),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_, sizeof salt_),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info_, sizeof info_),
        OSSL_PARAM_construct_end(),
    };
    uint8_t derived[32], opened[sizeof plain_];
    int length = 0;
    const bool ok = EVP_KDF_derive(kdf_context_, derived, sizeof derived, parameters) == 1 &&
                    EVP_DecryptInit_ex2(context_, cipher_, key_, nonce_, nullptr) == 1 &&
                    EVP_DecryptUpdate(context_, nullptr, &length, aad_, sizeof aad_) == 1 &&
                    EVP_DecryptUpdate(context_, opened, &length, sealed_, sizeof plain_) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, 16, sealed_ + sizeof plain_) == 1 &&
                    EVP_DecryptFinal_ex(context_, opened + length, &length) == 1;
    if (!ok) check(Status::error(Code::kInternal, "libcrypto refused the floor's own work"));
  }

 private:
  uint8_t key_[32] = {1}, nonce_[12] = {2}, aad_[reference::kHeaderSize] = {3}, plain_[128] = {4};
  uint8_t sealed_[128 + 16] = {}, ikm_[64] = {5}, salt_[32] = {6}, info_[60] = {7};
  EVP_KDF* kdf_;
  EVP_KDF_CTX* kdf_context_;
  EVP_CIPHER* cipher_;
  EVP_CIPHER_CTX* context_;
};

struct Subject {
  keys::Owner owner;
  uint8_t wrapped[keys::kMaxWrappedSize];
  keys::SubjectKey key;
  reference::Stored stored;
  uint8_t envelope[reference::kMaxSize];
};

// A ring of subjects larger than the first-level cache, so that each comparison meets a reference of its own.
constexpr size_t kSubjects = 512;

void run(size_t dimension) {
  const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  auto ring = std::make_unique<keys::KeyRing>();
  for (keys::RootSet* roots : {&ring->envelope, &ring->transform}) {
    uint8_t key[keys::kMinRootSize];
    check(engine->random(key));
    check(keys::add_root(*engine, *roots, 1, key));
  }
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  auto contents = std::make_unique<probe::Contents>();
  std::vector<float> feature(dimension);
  check(probe::set_model("bench/1", *contents));
  std::vector<Subject> subjects(kSubjects);
  for (Subject& subject : subjects) {
    for (float& value : feature) value = normal(random);
    check(probe::set_feature(feature, *contents));
    subject.owner.institution = 1;
    check(engine->random_uuid(subject.owner.subject));
    const crypto::Suite suite = crypto::Suite::kAes256Gcm;
    check(keys::new_subject_key(*engine, *ring, suite, subject.owner,
                                {subject.wrapped, keys::wrapped_size(suite)}));
    check(keys::unwrap_subject_key(*engine, *ring, subject.owner,
                                   {subject.wrapped, keys::wrapped_size(suite)}, subject.key));
    reference::Header header = {};
    header.suite = suite;
    header.scheme = reference::kSchemeRfr1;
    header.code_bits = reference::kDefaultCodeBits;
    header.owner = subject.owner;
    header.generation = 1;
    const size_t size = reference::sealed_size(suite, header.code_bits);
    check(reference::protect(*engine, *ring, subject.key, *contents, header, {subject.envelope, size}));
    subject.stored = {header.reference, 1, {subject.envelope, size}};
  }

  Floor floor;
  size_t next = 0;
  const auto compare = [&] {
    const Subject& subject = subjects[next++ % kSubjects];
    match::Comparison comparison;
    check(match::compare(*engine, *ring, subject.owner, subject.key, subject.stored, *contents, comparison));
  };
  const auto compare_with_unwrap = [&] {
    const Subject& subject = subjects[next++ % kSubjects];
    match::Best best;
    check(match::best_of(*engine, *ring, subject.owner,
                         {subject.wrapped, keys::wrapped_size(crypto::Suite::kAes256Gcm)},
                         {&subject.stored, 1}, *contents, best));
  };
  std::vector<double> floors, full, wrapped, full_ratio, wrapped_ratio;
  for (int i = 0; i < kRounds; ++i) {
    floors.push_back(round_us([&] { floor.run(); }));
    full.push_back(round_us(compare));
    wrapped.push_back(round_us(compare_with_unwrap));
    full_ratio.push_back(full.back() / floors.back());
    wrapped_ratio.push_back(wrapped.back() / floors.back());
  }

  char note[200];
  const bool headline = dimension == 128;
  std::snprintf(note, sizeof note, "d = %zu, m = 1024, kernels %s, medians of %d rounds of %d; floor %.2f us",
                dimension, reference::best_kernels().name, kRounds, kCallsPerRound, median(floors));
  const auto name = [&](const char* base, char* out, size_t size) {
    headline ? std::snprintf(out, size, "score.%s", base)
             : std::snprintf(out, size, "score.%s_d%zu", base, dimension);
    return out;
  };
  char metric[64];
  const long long n = static_cast<long long>(kRounds) * kCallsPerRound;
  print_metric(name("full_us", metric, sizeof metric), median(full), "us", "", n, note);
  print_metric(name("full_vs_crypto_floor", metric, sizeof metric), median(full_ratio), "ratio",
               headline ? "<= 1.6" : "", n, note);
  print_metric(name("full_per_s", metric, sizeof metric), 1e6 / median(full), "1/s",
               headline ? ">= 250000" : "", n, note);
  print_metric(name("full_with_unwrap_vs_crypto_floor", metric, sizeof metric), median(wrapped_ratio),
               "ratio", "", n, "as full, and the subject key unwrapped for each comparison");
}

}  // namespace
}  // namespace visage::bench

int main() {
  for (size_t dimension : {128, 512}) visage::bench::run(dimension);
  visage::bench::run_eigen();
}
