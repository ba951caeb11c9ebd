// Random numbers that a seed repeats, for the product and for the attacker.
#pragma once

#include <cstdint>
#include <random>

namespace visage::bench::protection {

using Random = std::mt19937_64;

// Makes libcrypto's random numbers, hence every root, subject key, salt and id of this process, a function of
// `seed`. They stay uniform, which is all that statistics need; they are worthless as secrets. Not
// thread-safe.
bool seed_libcrypto(uint64_t seed);

}  // namespace visage::bench::protection
