// Candidates by a scan of the table: the 1:1 matcher against every reference of the institution and model,
// but for those whose gallery code is too far from the probe's.
#include <algorithm>

#include "core/match/duplicate.h"
#include "core/match/match.h"
#include "pg/boundary.h"
#include "pg/candidate.h"
#include "pg/flow.h"
#include "pg/gallery_store.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

constexpr long kPart = 500;  // rows fetched at once

// $3: only originals, $4: and since when they live.
#define VISAGE_ASKED_FOR "(NOT $3 OR (NOT r.adapted AND r.created_at > $4))"

Statement count_references = {
    "SELECT count(*) FROM (SELECT FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject "
    "WHERE s.institution = $1 AND r.model = $2 AND " VISAGE_ASKED_FOR " LIMIT $5) r",
    5,
    {"integer", "text", "boolean", "timestamptz", "bigint"}};
Statement scan_references = {
    "SELECT r.subject, k.wrapped, r.id, r.generation, r.reference, c.gallery, c.code "
    "FROM visage.subject_reference r "
    "JOIN visage.subject s ON s.id = r.subject JOIN visage.subject_key k ON k.subject = r.subject "
    "LEFT JOIN visage.gallery_code c ON c.reference = r.id "
    "WHERE s.institution = $1 AND r.model = $2 AND " VISAGE_ASKED_FOR,
    4,
    {"integer", "text", "boolean", "timestamptz"}};

struct Row {
  Uuid subject;
  Bytes wrapped;
  reference::Stored stored;
  bool has_code;
  StoredCode code;
  Status status;
  bool far;  // not compared, as its score would be too low
  match::Comparison comparison;
};

void compare_row(int32 institution, const probe::Contents& probe, const ProbeCodes* codes, Row& row) {
  row.status = guarded([&]() -> Status {
    const keys::Owner owner = {static_cast<uint32_t>(institution), row.subject};
    Secret<keys::SubjectKey> key;
    VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), owner, row.wrapped, key.value));
    row.far = codes != nullptr && row.has_code &&
              is_far(*codes, row.code, key.value, {owner, row.stored.id, row.stored.generation});
    if (row.far) return {};
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

// With codes, or all 1:1 without.
void scan(const Flow& flow, const Datum* arguments, const ProbeCodes* codes, Candidates& out) {
  Portal cursor = open_cursor(scan_references, arguments);
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    SPI_cursor_fetch(cursor, true, kPart);
    const uint64 rows = SPI_processed;
    for (uint64 i = 0; i < rows; ++i) {
      Row row = {};
      bool is_null;
      row.subject = column_uuid(i, 1);
      row.wrapped = column_bytes(i, 2);
      row.stored = {column_uuid(i, 3), static_cast<uint32_t>(DatumGetInt32(column(i, 4, &is_null))),
                    column_bytes(i, 5)};
      row.code.gallery = DatumGetInt32(column(i, 6, &is_null));
      row.has_code = !is_null;
      if (row.has_code) row.code.sealed = column_bytes(i, 7);
      compare_row(flow.policy.institution, *flow.contents, codes, row);
      if (!row.status.ok()) {
        // It may be the very one. Not an error: one altered row must not end all registrations where policy
        // lets those pass that cannot be decided.
        if (out.complete)
          ereport(WARNING, (errmsg("a reference could not be compared in a search: %s", row.status.message),
                            errhint("SELECT * FROM visage.integrity() lists all that do not open.")));
        out.complete = false;
      } else if (row.far) {
        ++out.compared;
      } else if (row.comparison.comparable) {
        ++out.compared;
        keep({row.subject, row.comparison.score}, out);
      }
    }
    SPI_freetuptable(SPI_tuptable);
    if (rows == 0) break;
  }
  SPI_cursor_close(cursor);
}

bool find_search_threshold(const Flow& flow, double fpir, uint64 compared, double& threshold) {
  return compared > 0 && find_threshold(flow.policy.institution, flow.contents->model, kReferenceScheme,
                                        match::search_fmr(fpir, compared), threshold);
}

void begin_candidates(Candidates& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  for (Candidate& candidate : out.best) candidate.score = -1;  // everybody may be too far
}

}  // namespace

void find_candidates(const Flow& flow, const Search& search, Candidates& out) {
  begin_candidates(out);
  const Datum arguments[] = {Int32GetDatum(flow.policy.institution),
                             CStringGetTextDatum(flow.contents->model), BoolGetDatum(search.originals),
                             TimestampTzGetDatum(expiry_cutoff(flow.policy.references)),
                             Int64GetDatum(search.most + 1)};
  begin_newest();
  execute(count_references, arguments, nullptr, true);
  bool is_null;
  const int64 count = DatumGetInt64(column(0, 1, &is_null));
  SPI_freetuptable(SPI_tuptable);
  out.complete = count <= search.most;
  if (out.complete) {
    double looked_for = 0, wanted = 0;
    const ProbeCodes* codes = nullptr;
    if (find_search_threshold(flow, search.fpir, static_cast<uint64>(count), looked_for))
      codes =
          make_probe_codes(flow.policy.institution, *flow.contents, looked_for, reference::kDefaultCodeBits);
    scan(flow, arguments, codes, out);
    // Fewer comparisons leave each a larger share of the FPIR, and so a lower threshold than was looked for.
    if (codes != nullptr && find_search_threshold(flow, search.fpir, out.compared, wanted) &&
        wanted < looked_for) {
      begin_candidates(out);
      out.complete = true;
      scan(flow, arguments, nullptr, out);
    }
  }
  end_newest();
}

}  // namespace visage::pg
