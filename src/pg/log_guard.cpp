#include "pg/log_guard.h"

#include "pg/pg.h"

extern "C" {
#include "tcop/tcopprot.h"
#include "utils/elog.h"
}

namespace visage::pg {
namespace {

// A feature has 64 numbers or more; this many in a row, half of them with a fraction, are taken for a part of
// one. What log lines hold otherwise (plans, timings, lists of ids) stays below, or is of whole numbers.
constexpr int kNumbersOfFeature = 16;

emit_log_hook_type previous_hook = nullptr;

// Functions that are given a feature, or the secret or evidence of a factor.
const char* const kGuarded[] = {"seal_probe", "enrol_factor", "replace_factor", "present_factor"};

bool mentions(const char* text) {
  if (text == nullptr) return false;
  for (const char* name : kGuarded)
    if (strcasestr(text, name) != nullptr) return true;
  return false;
}

bool starts_with(const char* text, const char* prefix) {
  return text != nullptr && pg_strncasecmp(text, prefix, strlen(prefix)) == 0;
}

// log_statement, log_duration and log_min_duration_statement put the statement into the message itself.
bool quotes_statement(const char* message) {
  return starts_with(message, "statement: ") || starts_with(message, "duration: ") ||
         starts_with(message, "execute ") || starts_with(message, "parse ") ||
         starts_with(message, "bind ") || starts_with(message, "fastpath function call:");
}

// End of the number at `text`, or `text` itself when there is none.
const char* skip_number(const char* text, bool& fraction) {
  const char* at = text + (*text == '-' || *text == '+');
  const char* digits = at;
  while (isdigit(static_cast<unsigned char>(*at))) ++at;
  int count = static_cast<int>(at - digits);
  fraction = *at == '.' && isdigit(static_cast<unsigned char>(at[1]));
  if (fraction) {
    ++at;
    while (isdigit(static_cast<unsigned char>(*at))) ++at, ++count;
  }
  if (count == 0) return text;
  if (*at == 'e' || *at == 'E') {
    const char* exponent = at + 1 + (at[1] == '-' || at[1] == '+');
    if (isdigit(static_cast<unsigned char>(*exponent))) {
      fraction = true;
      while (isdigit(static_cast<unsigned char>(*exponent))) ++exponent;
      at = exponent;
    }
  }
  return at;
}

// Over what may stand between two numbers of a list: quotes, brackets, casts, and a comma or space.
const char* skip_separator(const char* text) {
  static const char* const kCasts[] = {"::real", "::float4", "::float8", "::double precision", "::numeric"};
  bool separated = false;
  const char* at = text;
  for (bool more = true; more;) {
    more = false;
    for (const char* cast : kCasts) {
      if (!starts_with(at, cast)) continue;
      at += strlen(cast);
      more = true;
    }
    while (*at != '\0' && strchr(", \t\r\n'\"{}[]()", *at) != nullptr) {
      separated |= *at != '\'' && *at != '"';
      ++at;
      more = true;
    }
  }
  return separated ? at : text;
}

// End of the list of numbers at `text`, and how many of which kind it has.
const char* skip_numbers(const char* text, int& numbers, int& fractions) {
  numbers = fractions = 0;
  const char* end = text;
  for (const char* at = text;;) {
    bool fraction;
    const char* after = skip_number(at, fraction);
    if (after == at) break;
    ++numbers;
    fractions += fraction;
    end = after;
    at = skip_separator(after);
    if (at == after) break;
  }
  return end;
}

// A copy without the lists of numbers that may be features, or null when there are none. With `look_only` it
// only says whether there are any; with `whole_numbers` lists without fractions count too. Allocated in
// ErrorContext: errfinish() frees the message itself, and no other context is safe to allocate from inside a
// report.
char* without_features(const char* text, bool look_only, bool whole_numbers, bool& found) {
  found = false;
  if (text == nullptr) return nullptr;
  char* copy = nullptr;
  char* to = nullptr;
  const char* kept = text;  // what follows has not been copied
  for (const char* at = text; *at != '\0';) {
    int numbers, fractions;
    const char* end = skip_numbers(at, numbers, fractions);
    if (end == at) {
      ++at;
      continue;
    }
    if (numbers >= kNumbersOfFeature && (whole_numbers || 2 * fractions >= numbers)) {
      found = true;
      if (look_only) return nullptr;
      if (copy == nullptr) to = copy = static_cast<char*>(MemoryContextAlloc(ErrorContext, strlen(text) + 1));
      memcpy(to, kept, static_cast<size_t>(at - kept));
      to += at - kept;
      to += sprintf(to, "[%d numbers withheld]", numbers);  // shorter than what it stands for
      kept = end;
    }
    at = end;
  }
  if (copy != nullptr) strcpy(to, kept);
  return copy;
}

bool holds_feature(const char* text) {
  bool found;
  without_features(text, true, false, found);
  return found;
}

template <typename Text>
void withhold(Text& text, bool whole_numbers = false) {
  bool found;
  char* copy = without_features(text, false, whole_numbers, found);
  if (found) text = copy;
}

// debug_print_parse, debug_print_rewritten and debug_print_plan print constants byte by byte, as whole
// numbers.
bool prints_tree(const char* message) {
  return starts_with(message, "parse tree:") || starts_with(message, "rewritten parse tree:") ||
         starts_with(message, "plan:");
}

// A statement that names one of these functions: its text and parameters go as a whole.
void withhold_statement(ErrorData* report) {
  report->hide_stmt = true;
  report->detail_log = nullptr;
  report->context = nullptr;
  report->internalquery = nullptr;
  // "parameters: …", "prepare: …", "Failed process was running: …", and the trees of debug_print_plan.
  if (report->elevel < ERROR || starts_with(report->detail, "parameters:")) report->detail = nullptr;
  const char* replacement = nullptr;
  if (quotes_statement(report->message))
    replacement = "statement with a feature or a factor: text withheld because it may hold a secret";
  // An array that does not parse is quoted whole in the error about it.
  if (report->sqlerrcode == ERRCODE_INVALID_TEXT_REPRESENTATION)
    replacement = "invalid argument in a statement with a feature or a factor";
  if (replacement != nullptr) report->message = MemoryContextStrdup(ErrorContext, replacement);
}

// Frees nothing: the strings live in ErrorContext, which is reset after the report.
void guard(ErrorData* report) {
  if (mentions(debug_query_string) || mentions(report->message) || mentions(report->context) ||
      mentions(report->detail) || mentions(report->detail_log))
    withhold_statement(report);
  // And whoever calls it under another name: EXECUTE, a function of the caller's own, a cursor, an array that
  // does not parse before seal_probe is even looked up.
  if (!report->hide_stmt && holds_feature(debug_query_string)) report->hide_stmt = true;
  withhold(report->message);
  withhold(report->detail, prints_tree(report->message));
  withhold(report->detail_log);
  withhold(report->context);
  withhold(report->internalquery);
  if (previous_hook != nullptr) previous_hook(report);
}

}  // namespace

void log_guard_init() {
  previous_hook = emit_log_hook;
  emit_log_hook = guard;
}

}  // namespace visage::pg
