// UTF-8 (RFC 3629).
#pragma once

#include <cstdint>
#include <string_view>

namespace visage {

// Takes the first code point off a text that is not empty. False when the text does not begin with one:
// overlong forms, surrogates and points past U+10FFFF are none.
bool take_code_point(std::string_view& text, uint32_t& point);

}  // namespace visage
