// Candidates by an exact scan: the 1:1 matcher against every reference of the institution and model. About
// 7 µs a reference; a gallery does better.
#include <algorithm>

#include "core/match/match.h"
#include "pg/boundary.h"
#include "pg/duplicate.h"
#include "pg/flow.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

constexpr long kPart = 500;  // rows fetched at once

Statement count_references = {
    "SELECT count(*) FROM (SELECT FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject "
    "WHERE s.institution = $1 AND r.model = $2 LIMIT $3) r",
    3,
    {"integer", "text", "bigint"}};
Statement scan_references = {
    "SELECT r.subject, k.wrapped, r.id, r.generation, r.reference FROM visage.subject_reference r "
    "JOIN visage.subject s ON s.id = r.subject JOIN visage.subject_key k ON k.subject = r.subject "
    "WHERE s.institution = $1 AND r.model = $2",
    2,
    {"integer", "text"}};

struct Row {
  Uuid subject;
  Bytes wrapped;
  reference::Stored stored;
  Status status;
  match::Comparison comparison;
};

void compare_row(int32 institution, const probe::Contents& probe, Row& row) {
  row.status = guarded([&]() -> Status {
    const keys::Owner owner = {static_cast<uint32_t>(institution), row.subject};
    Secret<keys::SubjectKey> key;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), owner, row.wrapped, key.value));
    return match::compare(engine(), key_ring(), owner, key.value, row.stored, probe, row.comparison,
                          settings::kernels());
  });
}

// Keeps the best score of each of the best subjects, in descending order.
void keep(const Candidate& candidate, Candidates& out) {
  Candidate* end = out.best + out.count;
  Candidate* same =
      std::find_if(out.best, end, [&](const Candidate& other) { return other.subject == candidate.subject; });
  if (same == end) {
    if (out.count < kMaxCandidates)
      ++out.count;
    else if (out.best[kMaxCandidates - 1].score >= candidate.score)
      return;
    same = out.best + out.count - 1;
  } else if (same->score >= candidate.score) {
    return;
  }
  *same = candidate;
  for (; same != out.best && same[-1].score < same->score; --same) std::swap(same[-1], *same);
}

}  // namespace

void find_candidates(const Flow& flow, int64 most, Candidates& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  const Datum arguments[] = {Int32GetDatum(flow.policy.institution),
                             CStringGetTextDatum(flow.contents->model), Int64GetDatum(most + 1)};
  begin_newest();
  execute(count_references, arguments, nullptr, true);
  bool is_null;
  const bool too_many = DatumGetInt64(column(0, 1, &is_null)) > most;
  SPI_freetuptable(SPI_tuptable);
  out.complete = !too_many;
  Portal cursor = too_many ? nullptr : open_cursor(scan_references, arguments);
  while (cursor != nullptr) {
    CHECK_FOR_INTERRUPTS();
    SPI_cursor_fetch(cursor, true, kPart);
    const uint64 rows = SPI_processed;
    for (uint64 i = 0; i < rows; ++i) {
      Row row = {};
      row.subject = column_uuid(i, 1);
      row.wrapped = column_bytes(i, 2);
      row.stored = {column_uuid(i, 3), static_cast<uint32_t>(DatumGetInt32(column(i, 4, &is_null))),
                    column_bytes(i, 5)};
      compare_row(flow.policy.institution, *flow.contents, row);
      if (!row.status.ok()) {
        // It may be the very one. Not an error: one altered row must not end all registrations where policy
        // lets those pass that cannot be decided.
        if (out.complete)
          ereport(WARNING, (errmsg("a reference could not be compared in the search for duplicates: %s",
                                   row.status.message),
                            errhint("SELECT * FROM visage.integrity() lists all that do not open.")));
        out.complete = false;
      } else if (row.comparison.comparable) {
        ++out.compared;
        keep({row.subject, row.comparison.score}, out);
      }
    }
    SPI_freetuptable(SPI_tuptable);
    if (rows == 0) break;
  }
  if (cursor != nullptr) SPI_cursor_close(cursor);
  end_newest();
}

}  // namespace visage::pg
