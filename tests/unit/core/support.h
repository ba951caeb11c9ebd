// What the core's tests share: fixed keys, features made by formula, and short ways to seal and open.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto/engine.h"
#include "core/keys/subject_key.h"
#include "core/match/match.h"
#include "core/probe/probe.h"
#include "core/reference/reference.h"

namespace visage {

// Lets a failed assertion print the code by number, not as a byte object.
inline void PrintTo(Code code, std::ostream* out) {
  *out << "Code(" << static_cast<int>(code) << ")";
}
namespace test {

inline ::testing::AssertionResult is_ok(const Status& status) {
  if (status.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "code " << static_cast<int>(status.code) << ": " << status.message;
}
#define EXPECT_OK(expression) EXPECT_TRUE(::visage::test::is_ok(expression))
#define ASSERT_OK(expression) ASSERT_TRUE(::visage::test::is_ok(expression))

using Buffer = std::vector<uint8_t>;
using crypto::Suite;

inline constexpr Suite kSuites[] = {Suite::kAes256Gcm, Suite::kSm4CtrHmacSm3};

crypto::Engine& engine();

Buffer from_hex(std::string_view hex);
std::string to_hex(Bytes bytes);
Buffer random_bytes(std::mt19937_64& random, size_t size);

// Versions 1 and 3 of the envelope roots, 2 and 5 of the transform roots: no version is in both, so a lookup
// in the wrong custody shows.
const keys::KeyRing& ring();

// The same roots with one bit of this version changed, and with what is derived from it: what a provider
// gives that hands out another key under a version in use.
keys::RootSet with_changed_root(const keys::RootSet& roots, uint32_t version, size_t byte);

Uuid uuid(uint8_t fill);
inline const keys::Owner kAlice = {1, uuid(0xA1)};
inline const keys::Owner kBob = {1, uuid(0xB0)};

// A unit vector in a random direction.
std::vector<float> random_feature(std::mt19937_64& random, size_t dimension);
// A unit vector whose cosine to `feature` is `cosine`.
std::vector<float> feature_at(std::mt19937_64& random, const std::vector<float>& feature, double cosine);

probe::Contents contents_of(const std::vector<float>& feature, std::string_view model = "test/1");

probe::SourceKey source_key(Suite suite);
// Captured at 1 s after 1970, living for 60 s, with a session nonce.
Buffer sealed_probe(const probe::SourceKey& key, const probe::Contents& contents);
Status open_probe(const probe::SourceKey& key, Bytes envelope, probe::Contents& contents);

// A row that says of an envelope what its header says; a row of zeros when the header does not parse.
reference::Stored stored(Bytes envelope);

// A subject with a key of its own, and references made under it.
struct Subject {
  explicit Subject(const keys::Owner& owner, Suite suite = Suite::kAes256Gcm,
                   const keys::KeyRing& keys = ring());
  Buffer enrol(const probe::Contents& contents, size_t code_bits = reference::kDefaultCodeBits,
               uint32_t generation = 1) const;
  Status open(Bytes envelope, reference::Opened& opened) const;
  Status compare(Bytes envelope, const probe::Contents& contents, match::Comparison& comparison) const;
  double score(Bytes envelope, const probe::Contents& contents) const;

  keys::Owner owner;
  Suite suite;
  const keys::KeyRing* keys;
  Buffer wrapped;
  keys::SubjectKey key;
};

struct Moments {
  size_t count = 0;
  double sum = 0, squares = 0;

  void add(double value) {
    ++count;
    sum += value;
    squares += value * value;
  }
  double mean() const { return sum / static_cast<double>(count); }
  double deviation() const { return std::sqrt(squares / static_cast<double>(count) - mean() * mean()); }
  double error_of_mean() const { return deviation() / std::sqrt(static_cast<double>(count)); }
};

size_t differing_bits(Bytes a, Bytes b);

}  // namespace test
}  // namespace visage
