// printf into a string.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <string>

namespace visage::bench {

__attribute__((format(printf, 1, 2))) inline std::string format(const char* pattern, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof text, pattern, arguments);
  va_end(arguments);
  return text;
}

}  // namespace visage::bench
