// One fuzz target a file. Under libFuzzer (VISAGE_LIBFUZZER) each file is a program of its own; otherwise the
// targets register themselves for replay.cpp, which runs the seeds as an ordinary test.
#pragma once

#include <cstdlib>

#include "core/base/bytes.h"
#include "core/crypto/engine.h"
#include "core/keys/subject_key.h"

namespace visage::fuzz {

using Target = void (*)(Bytes);
struct Registration {
  Registration(const char* name, Target run);
};

crypto::Engine& engine();
// Roots of versions 1 to 4 in both custodies, so that mutated versions still find a key.
const keys::KeyRing& ring();

// Ends the run as a finding; unlike assert, in every build.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace visage::fuzz

#ifdef VISAGE_LIBFUZZER
#define VISAGE_FUZZ_TARGET(name)                                                                           \
  static void run_##name(visage::Bytes input);                                                             \
  extern "C" [[gnu::visibility("default")]] int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    run_##name({data, size});                                                                              \
    return 0;                                                                                              \
  }                                                                                                        \
  static void run_##name([[maybe_unused]] visage::Bytes input)
#else
#define VISAGE_FUZZ_TARGET(name)                                                  \
  static void run_##name(visage::Bytes input);                                    \
  static const visage::fuzz::Registration registration_##name(#name, run_##name); \
  static void run_##name([[maybe_unused]] visage::Bytes input)
#endif
