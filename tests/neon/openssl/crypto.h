// The one function of OpenSSL that the rotation uses, for check-neon, which has no ARM build of that library.
#pragma once

#include <cstddef>
#include <cstring>

inline void OPENSSL_cleanse(void* memory, std::size_t size) {
  std::memset(memory, 0, size);
}
