// The movements that a session asks the person for. Who draws them (src/pg) and who judges them (visaged)
// read the same words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/status.h"

namespace visage::challenge {

// Left and right are the person's own.
enum class Movement : uint8_t { kTurnLeft, kTurnRight, kNod, kBlink, kOpenMouth, kSmile };
inline constexpr size_t kMovements = 6;

inline constexpr std::array<const char*, kMovements> kWords = {"turn_left", "turn_right", "nod",
                                                               "blink",     "open_mouth", "smile"};

constexpr const char* word(Movement movement) {
  return kWords[static_cast<size_t>(movement)];
}

// What a session asks for, in its order. A session asks for a movement once at most.
struct Challenge {
  std::array<Movement, kMovements> steps{};
  size_t count = 0;
};

// Words apart by commas, as visage.session keeps them; empty text asks for nothing.
Status parse(std::string_view text, Challenge& out);

}  // namespace visage::challenge
