#include "pg/log_guard.h"

#include "pg/pg.h"

extern "C" {
#include "tcop/tcopprot.h"
#include "utils/elog.h"
}

namespace visage::pg {
namespace {

emit_log_hook_type previous_hook = nullptr;

bool mentions(const char* text) {
  return text != nullptr && strcasestr(text, "seal_probe") != nullptr;
}

bool starts_with(const char* text, const char* prefix) {
  return text != nullptr && pg_strncasecmp(text, prefix, strlen(prefix)) == 0;
}

// log_statement, log_duration and log_min_duration_statement put the statement into the message itself.
bool quotes_statement(const char* message) {
  return mentions(message) &&
         (starts_with(message, "statement: ") || starts_with(message, "duration: ") ||
          starts_with(message, "execute ") || starts_with(message, "parse ") ||
          starts_with(message, "bind ") || starts_with(message, "fastpath function call:"));
}

void replace_message(ErrorData* report, const char* message) {
  report->message = MemoryContextStrdup(ErrorContext, message);
}

// Frees nothing: the strings live in ErrorContext, which is reset after the report. errfinish() frees the
// message itself, so its replacement must be allocated there as well.
void guard(ErrorData* report) {
  const bool sensitive = mentions(debug_query_string) || mentions(report->message) ||
                         mentions(report->context) || mentions(report->detail_log);
  if (sensitive) {
    report->hide_stmt = true;
    report->detail_log = nullptr;
    // Parameters of extended-protocol statements: in DETAIL ("parameters: …") and CONTEXT ("unnamed portal
    // …").
    if (starts_with(report->detail, "parameters:")) report->detail = nullptr;
    report->context = nullptr;
    report->internalquery = nullptr;
    if (quotes_statement(report->message))
      replace_message(report,
                      "statement with visage.seal_probe: text withheld because it may hold a feature");
    // An array that does not parse is quoted whole in the error about it.
    if (report->sqlerrcode == ERRCODE_INVALID_TEXT_REPRESENTATION)
      replace_message(report, "invalid argument in a statement with visage.seal_probe");
  }
  if (previous_hook != nullptr) previous_hook(report);
}

}  // namespace

void log_guard_init() {
  previous_hook = emit_log_hook;
  emit_log_hook = guard;
}

}  // namespace visage::pg
