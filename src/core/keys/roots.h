// Root keys: what a key provider prints and what the key ring holds.
//
// A provider prints one line a root, `<version> <hex>`: version 1…4294967295, at least 32 bytes of key as
// hex. Blank lines and lines that start with # are skipped. The highest version seals; all of them open.
#pragma once

#include <string_view>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/crypto/engine.h"

namespace visage::keys {

inline constexpr size_t kMinRootSize = 32;
inline constexpr size_t kMaxRootSize = 64;
inline constexpr size_t kMaxRoots = 32;
inline constexpr size_t kMaxProviderOutput = 8192;

struct Root {
  uint32_t version;
  uint32_t size;
  uint8_t bytes[kMaxRootSize];
  // Derived once, by add_root(). Keys that wrap subject keys, one a suite: every comparison needs one. And
  // the key of keyed_hash(): every attempt needs one.
  uint8_t wrap_keys[2][crypto::kMaxKeySize];
  uint8_t hash_key[crypto::kDigestSize];

  Bytes view() const { return {bytes, size}; }
  Bytes wrap_key(crypto::Suite suite) const {
    return {wrap_keys[static_cast<size_t>(suite) - 1], crypto::key_size(suite)};
  }
};

// Plain memory: it is placed in a locked shared mapping. Roots are in ascending order of version.
struct RootSet {
  uint32_t count;
  Root roots[kMaxRoots];

  const Root* newest() const { return count == 0 ? nullptr : &roots[count - 1]; }
  const Root* find(uint32_t version) const {
    for (uint32_t i = 0; i < count; ++i)
      if (roots[i].version == version) return &roots[i];
    return nullptr;
  }
};

// The two custodies. Envelope roots open what is stored; transform roots make the references' rotations.
struct KeyRing {
  RootSet envelope;
  RootSet transform;
};

// kKeyInvalid with the line number and what is wrong with it, never any of its content; `out` is then wiped.
Status parse_roots(crypto::Engine& engine, std::string_view text, RootSet& out);

// Adds a root in its place and derives what hangs on it alone. kKeyInvalid for a size out of bounds, a
// version that is there already, or a full set. The only way to make a root.
Status add_root(crypto::Engine& engine, RootSet& roots, uint32_t version, Bytes key);

}  // namespace visage::keys
