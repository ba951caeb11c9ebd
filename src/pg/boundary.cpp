#include "pg/boundary.h"

namespace visage::pg {
namespace {

struct Mapping {
  int sqlstate;
  const char* hint;
};

Mapping mapping_of(Code code) {
  switch (code) {
    case Code::kOk:
      break;
    case Code::kInvalidArgument:
      return {ERRCODE_INVALID_PARAMETER_VALUE, nullptr};
    case Code::kMalformed:
      return {ERRCODE_INVALID_BINARY_REPRESENTATION, "Pass the value exactly as it was handed out."};
    case Code::kUnsupported:
      return {ERRCODE_FEATURE_NOT_SUPPORTED,
              "The value was made by a newer version of pg_visage, or is damaged."};
    case Code::kAuthenticationFailed:
      return {
          ERRCODE_VISAGE_DOES_NOT_OPEN,
          "Nothing was compared. If this is a restored database, load the keys it was made with; otherwise "
          "treat the value as tampered with."};
    case Code::kKeyMissing:
      return {ERRCODE_VISAGE_KEY_MISSING,
              "Add the version to the key provider, then restart or call visage.reload_keys()."};
    case Code::kKeyInvalid:
      return {ERRCODE_CONFIG_FILE_ERROR,
              "A key provider prints one line a key: <version> <at least 64 hex digits>."};
    case Code::kInternal:
      break;
  }
  return {ERRCODE_INTERNAL_ERROR, nullptr};
}

}  // namespace

void raise(const Status& status, const char* subject_matter) {
  const Mapping mapping = mapping_of(status.code);
  ereport(ERROR, (errcode(mapping.sqlstate), errmsg("%s: %s", subject_matter, status.message),
                  mapping.hint != nullptr ? errhint("%s", mapping.hint) : 0));
  pg_unreachable();
}

bool caught(void (*work)(void*), void* argument, char* message, Size size) {
  const MemoryContext context = CurrentMemoryContext;
  volatile bool done = true;
  PG_TRY();
  { work(argument); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    EmitErrorReport();
    ErrorData* error = CopyErrorData();
    FlushErrorState();
    strlcpy(message, error->message != nullptr ? error->message : "unknown error", size);
    FreeErrorData(error);
    done = false;
  }
  PG_END_TRY();
  return done;
}

void require_argument(FunctionCallInfo fcinfo, int index, const char* name) {
  if (PG_ARGISNULL(index))
    ereport(ERROR,
            (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not be null", name)));
}

}  // namespace visage::pg
