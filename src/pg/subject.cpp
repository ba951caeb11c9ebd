// Registration, change, further references, cancellation.   [5.3.1, 5.3.3, 5.3.4, 6.2f, 6.2g]
#include "pg/subject.h"

#include <algorithm>

#include "core/reference/reference.h"
#include "pg/authority.h"
#include "pg/boundary.h"
#include "pg/document.h"
#include "pg/duplicate.h"
#include "pg/envelope_io.h"
#include "pg/keys.h"
#include "pg/reference_store.h"
#include "pg/request.h"
#include "pg/requirement.h"
#include "pg/secret_memory.h"
#include "pg/settings.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

Statement insert_subject = {
    "INSERT INTO visage.subject (id, institution, external_id) VALUES ($1, $2, $3) "
    "ON CONFLICT (institution, external_id) DO NOTHING",
    3,
    {"uuid", "integer", "text"}};
Statement insert_key = {"INSERT INTO visage.subject_key (subject, wrapped, key_version) VALUES ($1, $2, $3)",
                        3,
                        {"uuid", "bytea", "bigint"}};
// An original takes the adapted ones along: they may have been adapted to it alone.
Statement delete_reference = {
    "DELETE FROM visage.subject_reference r WHERE r.subject = $2 AND (r.id = $1 OR r.adapted AND NOT EXISTS "
    "(SELECT FROM visage.subject_reference o WHERE o.id = $1 AND o.adapted))",
    2,
    {"uuid", "uuid"}};
Statement delete_references = {"DELETE FROM visage.subject_reference r WHERE r.subject = $1", 1, {"uuid"}};
Statement delete_subject = {"DELETE FROM visage.subject WHERE id = $1", 1, {"uuid"}};

// Its place, -1 when it is none of the subject's.
int find_reference(const SubjectRecord& record, const Uuid& id) {
  for (int i = 0; i < record.reference_count; ++i)
    if (record.references[i].id == id) return i;
  return -1;
}

int count_originals(const SubjectRecord& record) {
  return static_cast<int>(std::count_if(record.rows, record.rows + record.reference_count,
                                        [](const ReferenceRow& row) { return !row.adapted; }));
}

// Makes a reference from the flow's probe and stores it.
void store_reference(Flow& flow, const keys::Owner& owner, Bytes wrapped_key, const char* origin) {
  NewReference made;
  make_reference(*flow.contents, owner, wrapped_key, made);
  memcpy(flow.slot->record.after, made.digest, sizeof made.digest);
  flow.slot->record.mark(audit::Field::kAfter);
  flow.reference = made.header.reference;
  flow.has_reference = true;
  insert_reference(made, flow.contents->model, flow.channel, false, origin);
}

// One more must still leave a threshold that keeps the channel's target over all of them.
void add_to(Flow& flow, const SubjectRecord& record, const char* origin) {
  if (record.reference_count == kMaxReferences ||
      !find_flow_threshold(flow, kReferenceScheme, record.reference_count + 1))
    refuse(flow, Reason::kReferenceLimit);
  else
    store_reference(flow, record.owner, record.wrapped_key, origin);
}

// The face that enter_session() counted is not the living person's.
bool discount_face(Flow& flow) {
  flow.factors -= 1;
  const Requirement required =
      find_requirement(flow.policy.institution, flow.slot->record.operation, flow.channel, flow.scenario);
  return !flow.has_session || require_factors(flow, required.factors);
}

}  // namespace

void register_subject(Flow& flow, const text* subject, const AuthorityRecord& authority, const char* origin) {
  const keys::KeyRing& ring = key_ring();
  keys::Owner owner = {static_cast<uint32_t>(flow.policy.institution), {}};
  const crypto::Suite suite = settings::suite();
  struct varlena* wrapped = new_envelope(keys::wrapped_size(suite));
  uint32_t key_version = 0;
  const Status status = guarded([&] {
    VISAGE_TRY(engine().random_uuid(owner.subject));
    VISAGE_TRY(keys::new_subject_key(engine(), ring, suite, owner, envelope_span(wrapped)));
    return keys::wrapped_key_version(envelope_bytes(wrapped), key_version);
  });
  raise_unless_ok(status, "cannot make a subject key");
  // A concurrent registration of the same subject makes this wait, and then insert nothing.
  const Datum subject_values[] = {uuid_datum(owner.subject), Int32GetDatum(flow.policy.institution),
                                  PointerGetDatum(subject)};
  if (execute(insert_subject, subject_values, nullptr, false) != 1) {
    SubjectRecord existing;
    load_subject(flow, subject, false, existing);
    refuse(flow, Reason::kSubjectExists);
    return;
  }
  const Datum key_values[] = {uuid_datum(owner.subject), PointerGetDatum(wrapped),
                              Int64GetDatum(key_version)};
  execute(insert_key, key_values, nullptr, false);
  flow.subject = owner.subject;
  flow.has_subject = true;
  use_authority_record(flow, authority);
  store_reference(flow, owner, envelope_bytes(wrapped), origin);
  accept(flow);
}

namespace {

// For the record: of the photo nothing else is kept.
bool take_photo(Flow& flow, const struct varlena* photo, probe::Contents& document) {
  Uuid id;
  if (!take_document(flow, photo, document, id)) return false;
  name_in_event(flow,
                psprintf("document %s", DatumGetCString(DirectFunctionCall1(uuid_out, uuid_datum(id)))));
  return true;
}

// A photo that is compared here shows the person of this very capture, where a comparison that was made
// before shows the person of another. [6.6d]
Datum register_flow(FunctionCallInfo fcinfo, const FlowArguments& arguments, struct varlena* photo) {
  text* subject = subject_argument(fcinfo, 0);
  require_argument(fcinfo, 1, "probe");
  Flow flow;
  begin_flow(flow, audit::Operation::kRegister, fcinfo, arguments);
  flow.has_probe = true;
  if (repeats(flow, {.subject = subject, .probe = PG_GETARG_VARLENA_PP(1), .document = photo}))
    return finish_flow(flow, fcinfo);
  probe::Contents* document = photo != nullptr ? allocate_contents(CurrentMemoryContext) : nullptr;
  // The threshold is asked for although nothing of the subject's is compared: a model that no verification
  // could decide is refused here, not at the first verification.
  // No attempt on the subject: its name is not to be locked before it exists. What is not alive counts where
  // it came from.
  AuthorityRecord authority;
  DuplicateCheck duplicates = {};
  if (enter_session(flow, subject) &&
      take_probe(flow, PG_GETARG_VARLENA_PP(1), flow.header, *flow.contents) && check_entitlement(flow) &&
      check_consent(flow, subject, true) && (photo == nullptr || take_photo(flow, photo, *document)) &&
      check_identity(flow, subject, document, authority) && hold_attempts(flow, nullptr) &&
      check_floors(flow) && (photo == nullptr || compare_with_document(flow, *document)) &&
      find_flow_threshold(flow, kReferenceScheme) && check_duplicates(flow, subject, duplicates))
    register_subject(flow, subject, authority, kCapture);
  if (duplicates.finding != match::DuplicateFinding::kNone) {
    record_flow(flow);
    record_finding(flow, duplicates);
  }
  return finish_flow(flow, fcinfo);
}

}  // namespace

// register(subject, probe, channel, scenario, context) → outcome   [5.3.1]
VISAGE_FUNCTION(visage_register) {
  return register_flow(fcinfo, {2, 3, 4}, nullptr);
}

// register_with_document(subject, probe, document, channel, scenario, context) → outcome   [5.3.1, 6.6d, B.1]
VISAGE_FUNCTION(visage_register_with_document) {
  require_argument(fcinfo, 2, "document");
  return register_flow(fcinfo, {3, 4, 5}, PG_GETARG_VARLENA_PP(2));
}

// add_reference(subject, probe, channel, scenario, context) → outcome   [6.2f, 6.2g]
// The new face must match the old ones: one subject never names two people [6.2c].
VISAGE_FUNCTION(visage_add_reference) {
  text* subject = subject_argument(fcinfo, 0);
  require_argument(fcinfo, 1, "probe");
  Flow flow;
  begin_flow(flow, audit::Operation::kAddReference, fcinfo, {2, 3, 4});
  flow.has_probe = true;
  if (repeats(flow, {.subject = subject, .probe = PG_GETARG_VARLENA_PP(1)})) return finish_flow(flow, fcinfo);
  SubjectRecord record;
  load_subject(flow, subject, true, record);
  if (enter_session(flow, subject) &&
      take_probe(flow, PG_GETARG_VARLENA_PP(1), flow.header, *flow.contents) &&
      hold_attempts(flow, subject) && check_entitlement(flow) && check_floors(flow) &&
      check_consent(flow, subject, record.found) && match_subject(flow, record))
    add_to(flow, record, kCapture);
  return finish_flow(flow, fcinfo);
}

// add_authority_reference(subject, document, channel, scenario, context) → outcome   [B.1]
// A photo has no liveness and need not be as large as a capture: no floor applies to it.
VISAGE_FUNCTION(visage_add_authority_reference) {
  text* subject = subject_argument(fcinfo, 0);
  require_argument(fcinfo, 1, "document");
  Flow flow;
  begin_flow(flow, audit::Operation::kAddReference, fcinfo, {2, 3, 4});
  flow.has_probe = true;
  require_kept_photo(flow);
  if (repeats(flow, {.subject = subject, .document = PG_GETARG_VARLENA_PP(1)}))
    return finish_flow(flow, fcinfo);
  SubjectRecord record;
  load_subject(flow, subject, true, record);
  if (enter_session(flow, subject) && discount_face(flow) &&
      take_probe(flow, PG_GETARG_VARLENA_PP(1), flow.header, *flow.contents) &&
      hold_attempts(flow, subject) && check_entitlement(flow) && check_consent(flow, subject, record.found) &&
      check_photo(flow) && match_subject(flow, record))
    add_to(flow, record, kAuthority);
  return finish_flow(flow, fcinfo);
}

// replace_reference(subject, probe, channel, scenario, context, reference) → outcome   [5.3.3]
// The new face must match the old ones, those that have expired included: one subject never names two people
// [6.2c]. Without a reference it takes the place of all of them.
VISAGE_FUNCTION(visage_replace_reference) {
  text* subject = subject_argument(fcinfo, 0);
  require_argument(fcinfo, 1, "probe");
  Flow flow;
  begin_flow(flow, audit::Operation::kReplaceReference, fcinfo, {2, 3, 4});
  flow.has_probe = true;
  const bool all = PG_ARGISNULL(5);
  Uuid replaced = {};
  if (!all) memcpy(replaced.bytes, PG_GETARG_UUID_P(5)->data, sizeof replaced.bytes);
  if (repeats(flow,
              {.subject = subject, .probe = PG_GETARG_VARLENA_PP(1), .reference = all ? nullptr : &replaced}))
    return finish_flow(flow, fcinfo);
  SubjectRecord record;
  load_subject(flow, subject, true, record);
  if (enter_session(flow, subject) &&
      take_probe(flow, PG_GETARG_VARLENA_PP(1), flow.header, *flow.contents) &&
      hold_attempts(flow, subject) && check_entitlement(flow) && check_floors(flow) &&
      check_consent(flow, subject, record.found) && match_subject(flow, record, true)) {
    const int place = all ? 0 : find_reference(record, replaced);
    if (place < 0) {
      refuse(flow, Reason::kUnknownReference);
    } else if (!all && record.rows[place].adapted) {
      // That is what verifications do.
      refuse(flow, Reason::kUnknownReference);
    } else {
      const Datum arguments[] = {uuid_datum(replaced), uuid_datum(flow.subject)};
      if (all)
        execute(delete_references, arguments + 1, nullptr, false);
      else
        execute(delete_reference, arguments, nullptr, false);
      store_reference(flow, record.owner, record.wrapped_key, kCapture);
    }
  }
  return finish_flow(flow, fcinfo);
}

// drop_reference(subject, reference, channel, scenario, context) → outcome   [6.2g]
VISAGE_FUNCTION(visage_drop_reference) {
  text* subject = subject_argument(fcinfo, 0);
  require_argument(fcinfo, 1, "reference");
  Flow flow;
  begin_flow(flow, audit::Operation::kDropReference, fcinfo, {2, 3, 4});
  memcpy(flow.reference.bytes, PG_GETARG_UUID_P(1)->data, sizeof flow.reference.bytes);
  flow.has_reference = true;
  if (repeats(flow, {.subject = subject, .reference = &flow.reference})) return finish_flow(flow, fcinfo);
  SubjectRecord record;
  load_subject(flow, subject, true, record);
  if (!enter_session(flow, subject)) return finish_flow(flow, fcinfo);
  if (!record.found) {
    refuse(flow, Reason::kUnknownSubject);
  } else if (check_risk(flow)) {
    const int place = find_reference(record, flow.reference);
    if (place < 0) {
      refuse(flow, Reason::kUnknownReference);
    } else if (!record.rows[place].adapted && count_originals(record) == 1) {
      refuse(flow, Reason::kLastReference);
    } else {
      const Datum arguments[] = {uuid_datum(flow.reference), uuid_datum(flow.subject)};
      execute(delete_reference, arguments, nullptr, false);
      accept(flow);
    }
  }
  return finish_flow(flow, fcinfo);
}

// cancel(subject, channel, scenario, context) → outcome   [5.3.4]
// Deletes the subject, its references and its key in one statement: what remains in old files cannot be
// opened.
VISAGE_FUNCTION(visage_cancel) {
  text* subject = subject_argument(fcinfo, 0);
  Flow flow;
  begin_flow(flow, audit::Operation::kCancel, fcinfo, {1, 2, 3});
  if (repeats(flow, {.subject = subject})) return finish_flow(flow, fcinfo);
  SubjectRecord record;
  load_subject(flow, subject, true, record);
  if (!enter_session(flow, subject)) return finish_flow(flow, fcinfo);
  if (!record.found) {
    refuse(flow, Reason::kUnknownSubject);
  } else if (check_risk(flow)) {
    const Datum arguments[] = {uuid_datum(flow.subject)};
    execute(delete_subject, arguments, nullptr, false);
    accept(flow);
  }
  return finish_flow(flow, fcinfo);
}

}  // namespace visage::pg
