// The border to FAISS: what it throws becomes a Status.
#pragma once

#include <new>

#include "core/base/status.h"

namespace visage::gallery_index {

// A FAISS message may quote what it read, so none is passed on.
template <typename Call>
Status guarded_status(const char* what, Call&& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Status::error(Code::kInternal, "%s: not enough memory", what);
  } catch (...) {
    return Status::error(Code::kInternal, "%s: FAISS failed", what);
  }
}

template <typename Call>
Status guarded(const char* what, Call&& call) {
  return guarded_status(what, [&]() -> Status {
    call();
    return {};
  });
}

}  // namespace visage::gallery_index
