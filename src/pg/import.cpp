// Registration of the rows of an import.   [6.2e, 5.3.1]
//
// The batch stands for the session: who opened it answered for what a session asks. Its nonce is in its
// probes, so that they serve no other flow, and its rows remember which were used, for as long as the batch
// is open: so their life may be longer than that of probes which only memory knows.
#include "core/keys/staged_probe.h"

#include "pg/attempt.h"
#include "pg/authority.h"
#include "pg/boundary.h"
#include "pg/clock.h"
#include "pg/duplicate.h"
#include "pg/envelope_io.h"
#include "pg/flow.h"
#include "pg/keys.h"
#include "pg/probe.h"
#include "pg/reference_store.h"
#include "pg/settings.h"
#include "pg/statement.h"
#include "pg/subject.h"

namespace visage::pg {
namespace {

Statement insert_record = {
    "INSERT INTO visage.authority_record (institution, authority, subject_hash, subject, accepted, fields, "
    "used_at, batch) VALUES ($1, $2, visage.subject_hash($1, $3), $4, true, $5, "
    "pg_catalog.clock_timestamp(), "
    "$6)",
    6,
    {"integer", "integer", "text", "uuid", "text[]", "integer"}};

// Opens the probe and checks that it is of this batch and alive by its own word.
bool take_staged(Flow& flow, const struct varlena* value, bool replayed) {
  if (open_probe(value, flow.policy.institution, flow.header, *flow.contents) != ProbeState::kOpened)
    return refuse(flow, Reason::kUnknownSource);
  const int64 now = unix_now();
  if (now >= flow.header.expires_at ||
      flow.header.captured_at - now > static_cast<int64>(settings::clock_skew) * USECS_PER_SEC)
    return refuse(flow, Reason::kExpiredProbe);
  if (!bind_probe(flow)) return false;
  return !replayed || refuse(flow, Reason::kReplayedProbe);
}

struct varlena* unstage(const keys::Staging& staging, const struct varlena* staged) {
  size_t size = 0;
  const keys::KeyRing& ring = key_ring();
  raise_unless_ok(guarded([&] { return keys::staged_probe_size(envelope_bytes(staged), size); }),
                  "staged probe");
  struct varlena* probe = new_envelope(size);
  raise_unless_ok(guarded([&] {
                    return keys::unstage_probe(engine(), ring, staging, envelope_bytes(staged),
                                               envelope_span(probe));
                  }),
                  "cannot open the staged probe");
  return probe;
}

}  // namespace

// stage_probe(institution, nonce, probe) → sealed under a transform root
VISAGE_FUNCTION(visage_stage_probe) {
  const struct varlena* nonce = PG_GETARG_VARLENA_PP(1);
  const struct varlena* probe = PG_GETARG_VARLENA_PP(2);
  const keys::KeyRing& ring = key_ring();
  probe::Header header;
  raise_unless_ok(guarded([&] { return probe::parse(envelope_bytes(probe), header); }), "visage.probe");
  const keys::Staging staging = {static_cast<uint32_t>(PG_GETARG_INT32(0)), header.probe,
                                 envelope_bytes(nonce)};
  const crypto::Suite suite = settings::suite();
  struct varlena* staged = new_envelope(keys::staged_size(suite, VARSIZE_ANY_EXHDR(probe)));
  raise_unless_ok(guarded([&] {
                    return keys::stage_probe(engine(), ring, suite, staging, envelope_bytes(probe),
                                             envelope_span(staged));
                  }),
                  "cannot stage the probe");
  PG_RETURN_POINTER(staged);
}

// import_reference(batch, nonce, channel, scenario, authority, fields, subject, probe_id, staged, replayed) →
// outcome What is missing or wrong in a row is told like a registration's; nobody waits for the disk but the
// caller's commit.
VISAGE_FUNCTION(visage_import_reference) {
  const int32 batch = PG_GETARG_INT32(0);
  const bytea* nonce = PG_GETARG_BYTEA_PP(1);
  const bool vouched = !PG_ARGISNULL(4);
  text* subject = subject_argument(fcinfo, 6);
  keys::Staging staging = {0, {}, envelope_bytes(nonce)};
  memcpy(staging.probe.bytes, PG_GETARG_UUID_P(7)->data, sizeof staging.probe.bytes);
  Flow flow;
  begin_flow(flow, audit::Operation::kRegister, name_argument(fcinfo, 2, "channel"),
             name_argument(fcinfo, 3, "scenario"), nullptr);
  flow.has_probe = flow.session_bound = flow.in_log = true;
  if (VARSIZE_ANY_EXHDR(nonce) != sizeof flow.nonce) elog(ERROR, "an import's nonce has another length");
  memcpy(flow.nonce, VARDATA_ANY(nonce), sizeof flow.nonce);
  staging.institution = static_cast<uint32_t>(flow.policy.institution);
  const struct varlena* probe = unstage(staging, PG_GETARG_VARLENA_PP(8));
  AuthorityRecord authority = {};
  DuplicateCheck duplicates = {};
  if (take_staged(flow, probe, PG_GETARG_BOOL(9)) && check_entitlement(flow) &&
      check_consent(flow, subject, true) && (vouched || check_identity(flow, subject, nullptr, authority)) &&
      check_floors(flow) && find_flow_threshold(flow, kReferenceScheme) &&
      check_duplicates(flow, subject, duplicates))
    register_subject(flow, subject, authority, kImported);
  if (vouched && flow.decision == Decision::kAccept) {
    const Datum arguments[] = {Int32GetDatum(flow.policy.institution),
                               PG_GETARG_DATUM(4),
                               PointerGetDatum(subject),
                               uuid_datum(flow.subject),
                               PG_GETARG_DATUM(5),
                               Int32GetDatum(batch)};
    execute(insert_record, arguments, nullptr, false);
  }
  name_in_event(flow, psprintf("import %d", batch));
  if (duplicates.finding != match::DuplicateFinding::kNone) {
    record_flow(flow);
    record_finding(flow, duplicates);
  }
  return finish_flow(flow, fcinfo);
}

}  // namespace visage::pg
