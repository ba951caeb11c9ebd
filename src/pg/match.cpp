// Verification, comparison and, for calibrators, the score.
#include "core/match/match.h"

#include "pg/boundary.h"
#include "pg/document.h"
#include "pg/envelope_io.h"
#include "pg/flow.h"
#include "pg/key_lookup.h"
#include "pg/keys.h"
#include "pg/owner_rights.h"
#include "pg/probe.h"
#include "pg/request.h"
#include "pg/secret_memory.h"
#include "pg/settings.h"
#include "pg/statement.h"
#include "pg/subject.h"

namespace visage::pg {
namespace {

// A reference of nobody: made once a backend, under the same roots as real ones.
struct Decoy {
  bool made;
  char model[probe::kMaxModelLength + 1];
  uint16_t dimension;
  keys::Owner owner;
  uint8_t wrapped_key[keys::kMaxWrappedSize];
  size_t wrapped_size;
  Uuid reference_id;
  uint8_t reference[reference::kMaxSize];
  size_t reference_size;
};

Decoy decoy;

Status make_decoy(const keys::KeyRing& ring, const probe::Contents& probe) {
  const crypto::Suite suite = settings::suite();
  decoy.made = false;
  decoy.owner.institution = 1;
  VISAGE_TRY(engine().random_uuid(decoy.owner.subject));
  decoy.wrapped_size = keys::wrapped_size(suite);
  decoy.reference_size = reference::sealed_size(suite, reference::kDefaultCodeBits);
  VISAGE_TRY(
      keys::new_subject_key(engine(), ring, suite, decoy.owner, {decoy.wrapped_key, decoy.wrapped_size}));
  Secret<keys::SubjectKey> key;
  VISAGE_TRY(keys::unwrap_subject_key(engine(), ring, decoy.owner, {decoy.wrapped_key, decoy.wrapped_size},
                                      key.value));
  probe::Contents contents = {};
  VISAGE_TRY(probe::set_model(probe.model_id(), contents));
  contents.dimension = probe.dimension;
  contents.feature[0] = 1;
  reference::Header header = {};
  header.suite = suite;
  header.scheme = reference::kSchemeRfr1;
  header.code_bits = reference::kDefaultCodeBits;
  header.owner = decoy.owner;
  header.generation = 1;
  VISAGE_TRY(reference::protect(engine(), ring, key.value, contents, header,
                                {decoy.reference, decoy.reference_size}));
  decoy.reference_id = header.reference;
  memcpy(decoy.model, contents.model, sizeof decoy.model);
  decoy.dimension = contents.dimension;
  decoy.made = true;
  return {};
}

// Whether or not the subject exists, so that the first call of a backend costs the same for both.
void prepare_decoy(const probe::Contents& probe) {
  if (decoy.made && strcmp(decoy.model, probe.model) == 0 && decoy.dimension == probe.dimension) return;
  raise_unless_ok(guarded([&] { return make_decoy(key_ring(), probe); }), "cannot prepare the comparison");
}

// What score() keeps between rows: the probe stays open as long as the same value is passed.
struct OpenedProbe {
  struct varlena* value;
  probe::Contents* contents;
  int32 institution;
  MemoryContextCallback forget;
  KeyLookup keys;
};

OpenedProbe& opened_probe(FunctionCallInfo fcinfo, struct varlena* value) {
  auto* cache = static_cast<OpenedProbe*>(fcinfo->flinfo->fn_extra);
  const size_t size = VARSIZE_ANY_EXHDR(value);
  if (cache == nullptr || VARSIZE_ANY_EXHDR(cache->value) != size ||
      memcmp(VARDATA_ANY(cache->value), VARDATA_ANY(value), size) != 0) {
    const MemoryContext context = fcinfo->flinfo->fn_mcxt;
    if (cache == nullptr) {
      cache = static_cast<OpenedProbe*>(MemoryContextAllocZero(context, sizeof(OpenedProbe)));
      cache->contents = allocate_contents(context);
      cache->keys.context = context;
      // Once a statement, not once a row.
      cache->forget.func = [](void*) { engine().forget_keys(); };
      MemoryContextRegisterResetCallback(context, &cache->forget);
    }
    fcinfo->flinfo->fn_extra = nullptr;  // stays so if opening fails
    const OwnerRights rights = begin_owner_rights();
    SPI_connect();
    cache->institution = acting_institution();
    probe::Header header;
    const ProbeState state = open_probe(value, cache->institution, header, *cache->contents);
    SPI_finish();
    end_owner_rights(rights);
    if (state != ProbeState::kOpened)
      ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                      errmsg("the probe's capture source is unknown or disabled")));
    cache->value = static_cast<struct varlena*>(MemoryContextAlloc(context, VARHDRSZ + size));
    SET_VARSIZE(cache->value, VARHDRSZ + size);
    memcpy(VARDATA(cache->value), VARDATA_ANY(value), size);
    fcinfo->flinfo->fn_extra = cache;
  }
  return *cache;
}

}  // namespace

bool match_subject(Flow& flow, const SubjectRecord& subject, bool expired_too, Matches* matches) {
  const int count = expired_too ? subject.reference_count : subject.live_count;
  if (subject.found && count == 0)
    return refuse(flow, subject.reference_count == 0 ? Reason::kRevoked : Reason::kReferenceExpired);
  prepare_decoy(*flow.contents);
  const reference::Stored decoy_reference = {decoy.reference_id, 1, {decoy.reference, decoy.reference_size}};
  match::Best best;
  Matches own;
  if (matches == nullptr) matches = &own;
  matches->count = subject.found ? count : 0;
  begin_scoring(flow);
  const Status status = guarded([&] {
    if (!subject.found)
      return match::best_of(engine(), key_ring(), decoy.owner, {decoy.wrapped_key, decoy.wrapped_size},
                            {&decoy_reference, 1}, *flow.contents, best, settings::kernels());
    return match::best_of(engine(), key_ring(), subject.owner, subject.wrapped_key,
                          {subject.references, static_cast<size_t>(count)}, *flow.contents, best,
                          settings::kernels(), {matches->each, static_cast<size_t>(count)});
  });
  raise_unless_ok(status, "cannot compare");
  // Every reference was opened before any of these: an altered one is a fault, whatever it was altered to
  // say.
  if (best.compared == 0) return refuse(flow, Reason::kModelMismatch);
  if (!find_flow_threshold(flow, kReferenceScheme, static_cast<int>(best.compared))) return false;
  if (!subject.found) return refuse(flow, Reason::kUnknownSubject);
  return decide(flow,
                subject.rows[best.index].adapted ? anchored_score(flow, subject, *matches) : best.score);
}

namespace {

Datum verify(FunctionCallInfo fcinfo) {
  text* subject = subject_argument(fcinfo, 0);
  require_argument(fcinfo, 1, "probe");
  Flow flow;
  begin_flow(flow, audit::Operation::kVerify, fcinfo, {2, 3, 4});
  flow.has_probe = true;
  if (repeats(flow, {.subject = subject, .probe = PG_GETARG_VARLENA_PP(1)})) return finish_flow(flow, fcinfo);
  SubjectRecord record;
  load_subject(flow, subject, false, record);
  if (enter_session(flow, subject) &&
      take_probe(flow, PG_GETARG_VARLENA_PP(1), flow.header, *flow.contents) &&
      hold_attempts(flow, subject) && check_floors(flow) && check_consent(flow, subject, record.found)) {
    Matches matches;
    match_subject(flow, record, false, &matches);
    renew_references(flow, record, matches);
  }
  return finish_flow(flow, fcinfo);
}

}  // namespace

// verify(subject, probe, channel, scenario, context) → outcome   [5.3.2, 6.3a]. No SECURITY DEFINER function:
// see owner_rights.h.
VISAGE_FUNCTION(visage_verify) {
  const OwnerRights rights = begin_owner_rights();
  const Datum outcome = verify(fcinfo);
  end_owner_rights(rights);
  return outcome;
}

// compare(probe, document, channel, scenario, context) → outcome: a person against an ID photo   [6.6f]
VISAGE_FUNCTION(visage_compare) {
  require_argument(fcinfo, 0, "probe");
  require_argument(fcinfo, 1, "document");
  Flow flow;
  begin_flow(flow, audit::Operation::kCompare, fcinfo, {2, 3, 4});
  flow.has_probe = true;
  if (repeats(flow, {.probe = PG_GETARG_VARLENA_PP(0), .document = PG_GETARG_VARLENA_PP(1)}))
    return finish_flow(flow, fcinfo);
  probe::Contents* document = allocate_contents(CurrentMemoryContext);
  if (enter_session(flow, nullptr) &&
      take_probe(flow, PG_GETARG_VARLENA_PP(0), flow.header, *flow.contents) &&
      (flow.has_reference = take_document(flow, PG_GETARG_VARLENA_PP(1), *document, flow.reference)) &&
      hold_attempts(flow, nullptr) && check_floors(flow))
    compare_with_document(flow, *document);
  return finish_flow(flow, fcinfo);
}

// score(reference, probe) → double precision, null when the models differ. For visage_calibrator; consumes
// nothing. Called once a row over whole tables, so it is no SECURITY DEFINER function: see owner_rights.h.
VISAGE_FUNCTION(visage_score) {
  const struct varlena* value = PG_GETARG_VARLENA_PP(0);
  const keys::KeyRing& ring = key_ring();
  OpenedProbe& probe = opened_probe(fcinfo, PG_GETARG_VARLENA_PP(1));
  reference::Header header;
  raise_unless_ok(guarded([&] { return reference::parse(envelope_bytes(value), header); }),
                  "visage.reference");
  const WrappedKey* wrapped = find_wrapped_key(probe.keys, header.owner.subject);
  if (wrapped == nullptr)
    ereport(ERROR, (errcode(ERRCODE_VISAGE_DOES_NOT_OPEN), errmsg("the reference's subject has no key"),
                    errdetail("The subject was cancelled.")));
  match::Comparison comparison;
  const Status status = guarded([&] {
    Secret<keys::SubjectKey> key;
    const keys::Owner owner = {static_cast<uint32_t>(probe.institution), header.owner.subject};
    VISAGE_TRY(keys::unwrap_subject_key(engine(), ring, owner, wrapped->view(), key.value));
    // A value in hand has no row to contradict it.
    const reference::Stored stored = {header.reference, header.generation, envelope_bytes(value)};
    return match::compare(engine(), ring, owner, key.value, stored, *probe.contents, comparison,
                          settings::kernels());
  });
  raise_unless_ok(status, "cannot compare");
  if (!comparison.comparable) PG_RETURN_NULL();
  PG_RETURN_FLOAT8(comparison.score);
}

}  // namespace visage::pg
