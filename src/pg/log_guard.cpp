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
    if (report->detail != nullptr && strncmp(report->detail, "parameters:", 11) == 0)
      report->detail = nullptr;
    if (report->detail != nullptr && strncmp(report->detail, "Parameters:", 11) == 0)
      report->detail = nullptr;
    report->context = nullptr;
    if (report->internalquery != nullptr) report->internalquery = nullptr;
    // log_statement and log_min_duration_statement put the statement into the message itself.
    if (mentions(report->message)) {
      report->message = MemoryContextStrdup(
          ErrorContext, "statement with visage.seal_probe: text withheld because it may hold a feature");
    }
  }
  if (previous_hook != nullptr) previous_hook(report);
}

}  // namespace

void log_guard_init() {
  previous_hook = emit_log_hook;
  emit_log_hook = guard;
}

}  // namespace visage::pg
