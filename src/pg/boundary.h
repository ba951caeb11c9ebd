// The border between PostgreSQL and src/core, in both directions.
//
// SQL functions exist only through VISAGE_FUNCTION, which exports them. Core is called only inside guarded(),
// which turns every C++ exception into a Status; raise() turns a Status into an ereport, from plain data,
// after every catch block has closed.
#pragma once

#include <new>
#include <utility>

#include "core/base/status.h"
#include "pg/pg.h"

#define VISAGE_EXPORT __attribute__((visibility("default")))

#define VISAGE_FUNCTION(name)                                 \
  extern "C" {                                                \
  VISAGE_EXPORT Datum name(PG_FUNCTION_ARGS);                 \
  VISAGE_EXPORT const Pg_finfo_record* pg_finfo_##name(void); \
  const Pg_finfo_record* pg_finfo_##name(void) {              \
    static const Pg_finfo_record record = {1};                \
    return &record;                                           \
  }                                                           \
  }                                                           \
  Datum name(PG_FUNCTION_ARGS)

// SQLSTATEs of our own, class VG. docs/errors.md lists them.
#define ERRCODE_VISAGE_DOES_NOT_OPEN MAKE_SQLSTATE('V', 'G', '0', '0', '1')
#define ERRCODE_VISAGE_KEY_MISSING MAKE_SQLSTATE('V', 'G', '0', '0', '2')
#define ERRCODE_VISAGE_NOT_CONFIGURED MAKE_SQLSTATE('V', 'G', '0', '0', '3')
#define ERRCODE_VISAGE_AUDIT_UNAVAILABLE MAKE_SQLSTATE('V', 'G', '0', '0', '4')
#define ERRCODE_VISAGE_AUDIT_FAILED MAKE_SQLSTATE('V', 'G', '0', '0', '5')
#define ERRCODE_VISAGE_AUDIT_TIMEOUT MAKE_SQLSTATE('V', 'G', '0', '0', '6')
#define ERRCODE_VISAGE_OTHER_REQUEST MAKE_SQLSTATE('V', 'G', '0', '0', '7')
#define ERRCODE_VISAGE_UNKNOWN_SESSION MAKE_SQLSTATE('V', 'G', '0', '0', '8')

namespace visage::pg {

template <typename Call>
Status guarded(Call&& call) noexcept {
  try {
    return std::forward<Call>(call)();
  } catch (const std::bad_alloc&) {
    return Status::error(Code::kInternal, "out of memory");
  } catch (...) {
    return Status::error(Code::kInternal, "unexpected C++ exception");
  }
}

// Raises the error that a Status stands for. `subject_matter` starts the message: "cannot open reference".
[[noreturn]] void raise(const Status& status, const char* subject_matter);

inline void raise_unless_ok(const Status& status, const char* subject_matter) {
  if (!status.ok()) [[unlikely]]
    raise(status, subject_matter);
}

// Runs `work(argument)` and catches what it raises, which is logged and its message copied. The caller rolls
// the transaction back. For background workers alone.
bool caught(void (*work)(void*), void* argument, char* message, Size size);

// Raises "argument must not be null" for a required argument.
void require_argument(FunctionCallInfo fcinfo, int index, const char* name);

}  // namespace visage::pg
