// Candidates: the 1:1 matcher against every reference of the institution and model, but for those whose
// gallery code is too far from the probe's. Codes are read in memory, or, where it does not serve, from their
// table.
#include <algorithm>

#include "core/match/duplicate.h"
#include "core/match/match.h"
#include "pg/boundary.h"
#include "pg/candidate.h"
#include "pg/flow.h"
#include "pg/gallery_change.h"
#include "pg/gallery_search.h"
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

// Those of them that the caller's snapshot sees, in its institution.
Statement read_references = {
    "SELECT r.subject, k.wrapped, r.id, r.generation, r.reference, NULL::integer, NULL::bytea "
    "FROM visage.subject_reference r "
    "JOIN visage.subject s ON s.id = r.subject JOIN visage.subject_key k ON k.subject = r.subject "
    "WHERE s.institution = $1 AND r.model = $2 AND " VISAGE_ASKED_FOR " AND r.id = ANY ($5)",
    5,
    {"integer", "text", "boolean", "timestamptz", "uuid[]"}};

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

// Rows of SPI_tuptable, as scan_references gives them, against the probe.
void compare_rows(const Flow& flow, uint64 rows, const ProbeCodes* codes, Candidates& out) {
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
}

// With codes, or all 1:1 without.
void scan(const Flow& flow, const Datum* arguments, const ProbeCodes* codes, Candidates& out) {
  Portal cursor = open_cursor(scan_references, arguments);
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    SPI_cursor_fetch(cursor, true, kPart);
    const uint64 rows = SPI_processed;
    compare_rows(flow, rows, codes, out);
    SPI_freetuptable(SPI_tuptable);
    if (rows == 0) break;
  }
  SPI_cursor_close(cursor);
}

// Those of the list that are asked for, in parts, so that an interrupt does not wait for all. Those that are
// not, or are no more, do not count as compared. Ends where more than `most` do.
void compare_listed(const Flow& flow, const Datum* asked_for, const UuidList& list, int64 most,
                    Candidates& out) {
  for (uint64 first = 0; first < list.count && out.compared <= static_cast<uint64>(most); first += kPart) {
    CHECK_FOR_INTERRUPTS();
    const int part = static_cast<int>(Min(static_cast<uint64>(kPart), list.count - first));
    Datum ids[kPart];
    for (int i = 0; i < part; ++i) ids[i] = uuid_datum(list.items[first + static_cast<uint64>(i)]);
    ArrayType* const array = construct_array(ids, part, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
    const Datum arguments[] = {asked_for[0], asked_for[1], asked_for[2], asked_for[3],
                               PointerGetDatum(array)};
    const uint64 rows = execute(read_references, arguments, nullptr, true);
    compare_rows(flow, rows, nullptr, out);
    SPI_freetuptable(SPI_tuptable);
    pfree(array);
  }
}

bool find_search_threshold(const Flow& flow, double fpir, uint64 compared, double& threshold) {
  return compared > 0 && find_threshold(flow.policy.institution, flow.contents->model, kReferenceScheme,
                                        match::search_fmr(fpir, compared), threshold);
}

void begin_candidates(Candidates& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  for (Candidate& candidate : out.best) candidate.score = -1;  // everybody may be too far
}

// References that are newer than what memory has seen are compared all, of the others those that memory
// cannot rule out. The larger the gallery, the higher the threshold, so what turns out not to count is taken
// off, and where the threshold was too high for what is left, it is looked for again.
void search_reading(const Flow& flow, const Search& search, const Datum* asked_for,
                    const GalleryReading& reading, const IndexAnswers& answers, Candidates& out) {
  UuidList newer;
  collect_new_references(reading.seen, newer);
  // Of all institutions: those of others fall away in the table.
  out.complete = true;
  compare_listed(flow, asked_for, newer, search.most, out);
  const Candidates of_newer = out;
  uint64 references = reading.references + of_newer.compared;
  for (double threshold = 0; find_search_threshold(flow, search.fpir, references, threshold);) {
    UuidList hits;
    out = of_newer;
    const int64 most = search.most - static_cast<int64>(of_newer.compared);
    if (most < 0 || !search_memory(flow, reading, answers, threshold, most, hits)) {
      begin_candidates(out);
      return;
    }
    compare_listed(flow, asked_for, hits, search.most, out);
    const uint64 void_hits = hits.count - (out.compared - of_newer.compared);
    const uint64 counted = reading.references + of_newer.compared - Min(void_hits, reading.references);
    out.compared = counted;
    double wanted = 0;
    if (!find_search_threshold(flow, search.fpir, counted, wanted) || wanted >= threshold) return;
    references = counted;
  }
  // No threshold was measured for so many: who looks most alike says nothing.
  out.compared = references;
}

// For the threshold that as many references need as there are now.
void ask_beforehand(const Flow& flow, const Search& search, IndexAnswers& out) {
  gallery_index::Kind kind;
  GalleryReading reading;
  double threshold = 0;
  if (!settings::searches_index(kind) ||
      !begin_gallery_reading(flow.policy.institution, flow.contents->model, reading))
    return;
  if (end_gallery_reading(reading) && find_search_threshold(flow, search.fpir, reading.references, threshold))
    ask_indexes(flow, kind, threshold, out);
}

// False: memory does not serve, or ended under way, and the table must be read.
bool find_in_memory(const Flow& flow, const Search& search, const Datum* asked_for, Candidates& out) {
  GalleryReading reading;
  IndexAnswers answers = {};
  if (settings::search_method() == settings::SearchMethod::kTable) return false;
  ask_beforehand(flow, search, answers);
  if (!begin_gallery_reading(flow.policy.institution, flow.contents->model, reading)) return false;
  // Now: a snapshot from before the reading could see what memory has let go of.
  begin_newest();
  search_reading(flow, search, asked_for, reading, answers, out);
  end_newest();
  return end_gallery_search(reading);
}

}  // namespace

void find_candidates(const Flow& flow, const Search& search, Candidates& out) {
  begin_candidates(out);
  const Datum arguments[] = {Int32GetDatum(flow.policy.institution),
                             CStringGetTextDatum(flow.contents->model), BoolGetDatum(search.originals),
                             TimestampTzGetDatum(expiry_cutoff(flow.policy.references)),
                             Int64GetDatum(search.most + 1)};
  if (find_in_memory(flow, search, arguments, out)) return;
  begin_candidates(out);
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
