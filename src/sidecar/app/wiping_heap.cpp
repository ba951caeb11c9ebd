// Every block that the process frees is wiped first, whoever frees it.
//
// Our own containers wipe themselves (wiped.h). Libraries do not: OpenSSL, libpq, the image codecs, ONNX
// Runtime and httplib all hold parts of a request for a while, and one copy that nobody knew of is enough.
// glibc allows a program to replace free() and realloc() by its own (malloc(3) calls this interposition);
// these pass on to glibc's.
#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/base/secret.h"

#ifndef __GLIBC__
#error "free() is replaced by means of glibc's own; another C library needs another way"
#endif

#define VISAGE_EXPORTED extern "C" __attribute__((visibility("default")))

extern "C" void __libc_free(void* memory);

VISAGE_EXPORTED void free(void* memory) {
  if (memory == nullptr) return;
  const int saved = errno;  // free() keeps it (POSIX.1-2024)
  visage::wipe(memory, malloc_usable_size(memory));
  __libc_free(memory);
  errno = saved;
}

// glibc's own would leave the old block as it was when it moves one.
VISAGE_EXPORTED void* realloc(void* memory, size_t size) {
  if (memory == nullptr) return malloc(size);
  if (size == 0) {
    free(memory);
    return nullptr;
  }
  const size_t old = malloc_usable_size(memory);
  if (size <= old && size >= old / 2) return memory;
  void* moved = malloc(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, memory, std::min(old, size));
  free(memory);
  return moved;
}
