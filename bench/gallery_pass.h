// The floor of an exact search: every word of the codes is read and its bits are counted, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace visage::bench {

uint64_t popcount_pass(const uint64_t* words, size_t count);
// By which instructions, for the metric's note.
const char* pass_name();

}  // namespace visage::bench
