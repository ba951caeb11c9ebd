// Residual information [8.1.4a]: after a comparison and forget_keys(), no secret that it used is left
// anywhere in the writable memory of the process: not on the stack, not in libcrypto's contexts, not in freed
// heap.
//
// A child process makes the secrets and hands them over masked, so that this process never holds one in clear
// except while the code under test runs. The ring is left
// out: the caller holds it.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "support.h"

namespace visage {
namespace {

using test::Buffer;
using test::engine;
using test::kAlice;
using test::ring;

constexpr uint8_t kMask = 0xA5;
constexpr size_t kSecretSize = 32;

enum Secrets { kSubjectKey, kEnvelopeKey, kSeed, kCode, kMasks, kSecretCount };
constexpr const char* kNames[] = {"subject key", "envelope key", "seed", "code", "masks"};

struct Handover {
  uint8_t wrapped[keys::kMaxWrappedSize];
  uint8_t envelope[reference::kMaxSize];
  uint8_t masked[kSecretCount][kSecretSize];
};

probe::Contents face() {
  std::mt19937_64 random(80);
  return test::contents_of(test::random_feature(random, 512));
}

// Derives every secret of one comparison again, as docs/formats.md says.
void make(crypto::Suite suite, Handover& out) {
  const test::Subject alice(kAlice, suite);
  const Buffer envelope = alice.enrol(face());
  reference::Opened opened;
  EXPECT_OK(alice.open(envelope, opened));
  reference::Header header;
  EXPECT_OK(reference::parse(envelope, header));
  const auto append = [](std::string_view label, std::initializer_list<Bytes> parts) {
    Buffer info(label.begin(), label.end());
    for (Bytes part : parts) info.insert(info.end(), part.begin(), part.end());
    return info;
  };
  const auto raw = [](const auto& value) {
    return Bytes(reinterpret_cast<const uint8_t*>(&value), sizeof value);
  };
  const keys::Root &root = ring().envelope.roots[1], &transform = ring().transform.roots[1];
  uint8_t secrets[kSecretCount][kSecretSize];
  std::memcpy(secrets[kSubjectKey], alice.key.bytes, kSecretSize);
  EXPECT_OK(engine().hkdf(suite, root.view(), alice.key.view(), header.salt,
                          append("visage/reference/1", {raw(suite), header.reference.view()}),
                          secrets[kEnvelopeKey]));
  EXPECT_OK(engine().hkdf(
      suite, transform.view(), alice.key.view(), header.salt,
      append("rfr/1", {raw(header.scheme), raw(suite), header.model_digest, raw(header.owner.institution),
                       header.reference.view(), raw(header.generation)}),
      secrets[kSeed]));
  Buffer masks(kSecretSize);
  EXPECT_OK(engine().keystream(suite, secrets[kSeed], masks));
  EXPECT_EQ(std::memcmp(masks.data(), opened.masks, kSecretSize), 0)
      << "the seed derived here is the seed in use";
  std::memcpy(secrets[kCode], opened.code, kSecretSize);
  std::memcpy(secrets[kMasks], opened.masks, kSecretSize);
  std::memcpy(out.wrapped, alice.wrapped.data(), alice.wrapped.size());
  std::memcpy(out.envelope, envelope.data(), envelope.size());
  for (size_t i = 0; i < sizeof secrets; ++i) (&out.masked[0][0])[i] = (&secrets[0][0])[i] ^ kMask;
}

Handover made_by_a_child(crypto::Suite suite) {
  Handover made = {};
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child == 0) {
    make(suite, made);
    const bool written = write(ends[1], &made, sizeof made) == static_cast<ssize_t>(sizeof made);
    _exit(written && !testing::Test::HasFailure() ? 0 : 1);
  }
  close(ends[1]);
  uint8_t* at = reinterpret_cast<uint8_t*>(&made);
  size_t size = 0;
  for (ssize_t part; (part = read(ends[0], at + size, sizeof made - size)) > 0;)
    size += static_cast<size_t>(part);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(size, sizeof made);
  return made;
}

// Counts the places in writable memory where either half of a secret stands in clear.
[[gnu::no_sanitize("address")]] size_t places(const uint8_t* masked) {
  size_t count = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long start = 0, end = 0;
    char rights[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &start, &end, rights) != 3) continue;
    if (std::string_view(rights).substr(0, 2) != "rw" || end - start > (1ul << 28)) continue;
    if (line.find("[v") != std::string::npos) continue;  // the kernel's own pages
    const volatile uint8_t* memory = reinterpret_cast<const volatile uint8_t*>(start);
    for (size_t i = 0; i + 16 <= end - start; ++i)
      for (size_t half : {0u, 16u}) {
        size_t same = 0;
        while (same < 16 && (memory[i + same] ^ kMask) == masked[half + same]) ++same;
        count += same == 16;
      }
  }
  return count;
}

class MatchResidue : public testing::TestWithParam<crypto::Suite> {};

TEST_P(MatchResidue, NothingIsLeftAfterAComparison) {
  const crypto::Suite suite = GetParam();
  const probe::Contents contents = face();
  const Handover made = made_by_a_child(suite);
  const Bytes envelope(made.envelope, reference::sealed_size(suite, 1024));
  const reference::Stored row = test::stored(envelope);
  match::Best best;
  ASSERT_OK(match::best_of(engine(), ring(), kAlice, {made.wrapped, keys::wrapped_size(suite)}, {&row, 1},
                           contents, best));
  EXPECT_GT(best.score, 0.9);
  engine().forget_keys();
  for (size_t i = 0; i < kSecretCount; ++i) EXPECT_EQ(places(made.masked[i]), 0u) << kNames[i];
}

// libcrypto's contexts keep the key or the counter of a keystream until they are told to forget it. (An SM4
// key schedule does not hold the key as it is, but the counter is the seed's second half.)
TEST_P(MatchResidue, ContextsForgetTheirSeed) {
  const Handover made = made_by_a_child(GetParam());
  {
    Secret<KeyBytes<kSecretSize>> seed;
    for (size_t i = 0; i < kSecretSize; ++i) seed.value.bytes[i] = made.masked[kSeed][i] ^ kMask;
    uint8_t out[64];
    ASSERT_OK(engine().keystream(GetParam(), seed.value.view(), out));
  }
  EXPECT_GE(places(made.masked[kSeed]), 1u);
  engine().forget_keys();
  EXPECT_EQ(places(made.masked[kSeed]), 0u);
}

// The key that stays for the next value is kept as it is, and goes when it is told to.
TEST_P(MatchResidue, ContextsForgetAKeptKey) {
  const Handover made = made_by_a_child(GetParam());
  {
    Secret<KeyBytes<crypto::kMaxKeySize>> key;
    for (size_t i = 0; i < crypto::kMaxKeySize; ++i)
      key.value.bytes[i] = made.masked[kEnvelopeKey][i % kSecretSize] ^ kMask;
    const Buffer nonce(crypto::kNonceSize), sealed(32 + crypto::tag_size(GetParam()));
    uint8_t out[32];
    ASSERT_EQ(engine()
                  .open_with_kept_key(GetParam(), {key.value.bytes, crypto::key_size(GetParam())}, nonce, {},
                                      sealed, out)
                  .code,
              Code::kAuthenticationFailed);
  }
  engine().forget_keys();
  EXPECT_EQ(places(made.masked[kEnvelopeKey]), 0u);
}

// The search finds what it looks for: a secret in a buffer counts, and no longer counts once wiped.
TEST_P(MatchResidue, TheSearchFindsWhatIsThere) {
  const Handover made = made_by_a_child(GetParam());
  for (size_t i = 0; i < kSecretCount; ++i) {
    uint8_t planted[kSecretSize];
    for (size_t j = 0; j < kSecretSize; ++j) planted[j] = made.masked[i][j] ^ kMask;
    EXPECT_GE(places(made.masked[i]), 2u) << kNames[i] << ": both halves";
    wipe(planted, sizeof planted);
    EXPECT_EQ(places(made.masked[i]), 0u) << kNames[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, MatchResidue, testing::ValuesIn(test::kSuites), [](const auto& info) {
  return std::string(info.param == crypto::Suite::kAes256Gcm ? "Aes" : "Sm4");
});

}  // namespace
}  // namespace visage
