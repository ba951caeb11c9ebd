#include "pg/request.h"

#include "core/keys/ledger_key.h"
#include "pg/boundary.h"
#include "pg/keys.h"
#include "pg/policy_generation.h"
#include "pg/probe.h"
#include "pg/secret_memory.h"
#include "pg/statement.h"

extern "C" {
#include "access/transam.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/procarray.h"
#include "utils/xid8.h"
}

namespace visage::pg {
namespace {

// Our own class of advisory locks: PostgreSQL's functions use 1 and 2.
constexpr uint16 kLockClass = 0x5647;
constexpr char kRetry[] = "retry after ";

Statement find_calls = {
    "SELECT e.transaction_id, e.decision::text, e.reason::text, e.channel, e.target_fmr, e.model, "
    "e.policy_version, e.seq, e.reference, e.request, e.xid, e.object, "
    "(SELECT t.note FROM visage.event t WHERE t.settles = e.seq LIMIT 1) FROM visage.event e "
    "WHERE e.biz_id = $1 AND e.institution = $2 AND e.operation = $3::visage.operation "
    "AND e.request IS NOT NULL ORDER BY e.seq",
    3,
    {"text", "integer", "text"}};

void append(StringInfo out, const void* bytes, size_t size) {
  const auto length = static_cast<uint32>(size);
  appendBinaryStringInfo(out, reinterpret_cast<const char*>(&length), sizeof length);
  appendBinaryStringInfo(out, static_cast<const char*>(bytes), static_cast<int>(size));
}
void append(StringInfo out, const char* value) {
  append(out, value != nullptr ? value : "", value != nullptr ? strlen(value) : 0);
}
void append(StringInfo out, const struct varlena* value) {
  if (value == nullptr)
    append(out, "");
  else
    append(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

// A capture that is sent again is sealed anew: what stays is the picture's digest, where there is one.
void append_probe(StringInfo out, const Flow& flow, const struct varlena* value) {
  static const uint8_t kNone[sizeof flow.contents->image_digest] = {};
  if (value != nullptr) {
    probe::Header header;
    probe::Contents* contents = allocate_contents(CurrentMemoryContext);
    const bool opened = open_probe(value, flow.policy.institution, header, *contents) == ProbeState::kOpened;
    uint8_t digest[sizeof contents->image_digest];
    memcpy(digest, opened ? contents->image_digest : kNone, sizeof digest);
    release_contents(contents);
    if (memcmp(digest, kNone, sizeof digest) != 0) {
      append(out, digest, sizeof digest);
      return;
    }
  }
  append(out, value);
}

void digest_request(const Flow& flow, const RequestArguments& arguments, uint8_t* out) {
  StringInfoData bytes;
  initStringInfo(&bytes);
  append(&bytes, audit::label(flow.slot->record.operation));
  append(&bytes, flow.channel);
  append(&bytes, flow.scenario);
  append(&bytes, flow.context.address);
  append(&bytes, flow.context.device);
  append(&bytes, flow.session.bytes, flow.has_session ? sizeof flow.session.bytes : 0);
  append(&bytes, arguments.subject);
  append_probe(&bytes, flow, arguments.probe);
  append_probe(&bytes, flow, arguments.document);
  append(&bytes, arguments.reference, arguments.reference != nullptr ? sizeof *arguments.reference : 0);
  append(&bytes, arguments.kind);
  const Bytes value = {reinterpret_cast<const uint8_t*>(bytes.data), static_cast<size_t>(bytes.len)};
  memcpy(out, attempt_target(keys::HashedKind::kRequest, flow.policy.institution, value).key,
         keys::kKeyedHashSize);
}

// A registration's first half is without its document: nothing keeps that, so who lost it together with the
// answer asks again without, and gets the answer.
void digest_request(const Flow& flow, const RequestArguments& arguments) {
  audit::EventRecord& record = flow.slot->record;
  static_assert(sizeof record.request == keys::kKeyedHashSize);
  digest_request(flow, arguments, record.request);
  if (record.operation == audit::Operation::kRegister && arguments.document != nullptr) {
    RequestArguments without = arguments;
    without.document = nullptr;
    uint8_t digest[keys::kKeyedHashSize];
    digest_request(flow, without, digest);
    memcpy(record.request, digest, sizeof digest / 2);
  }
  record.mark(audit::Field::kRequest);
}

bool is_same_request(const audit::EventRecord& record, const RequestArguments& arguments, Bytes earlier) {
  const bool half = record.operation == audit::Operation::kRegister && arguments.document == nullptr;
  return earlier.size() == sizeof record.request &&
         memcmp(earlier.data(), record.request, half ? earlier.size() / 2 : earlier.size()) == 0;
}

// Held until the transaction ends: only then is it certain what became of its changes.
void lock_business_id(const Flow& flow) {
  StringInfoData name;
  initStringInfo(&name);
  appendStringInfo(&name, "%d/%s/%s", flow.policy.institution, audit::label(flow.slot->record.operation),
                   flow.context.business_id);
  const uint64 hash = hash_bytes_extended(reinterpret_cast<const unsigned char*>(name.data), name.len, 0);
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(hash >> 32), static_cast<uint32>(hash),
                       kLockClass);
  (void)LockAcquire(&tag, ExclusiveLock, false, false);
}

// Did what the event says happen, as far as the server's transactions can tell? A verdict stands whatever its
// caller's transaction does.
bool counts(audit::Operation operation, uint64 row) {
  if (operation == audit::Operation::kVerify || operation == audit::Operation::kCompare ||
      operation == audit::Operation::kIdentify || column_is_null(row, 11))
    return true;
  if (!column_is_null(row, 13)) return strcmp(column_text(row, 13), "rolled back") != 0;
  bool is_null;
  const FullTransactionId full = DatumGetFullTransactionId(column(row, 11, &is_null));
  const TransactionId xid = XidFromFullTransactionId(full);
  if (TransactionIdIsCurrentTransactionId(xid)) return true;
  if (TransactionIdIsInProgress(xid)) XactLockTableWait(xid, nullptr, nullptr, XLTW_None);
  return TransactionIdDidCommit(xid);
}

void take_over(Flow& flow, uint64 row) {
  bool is_null;
  flow.repeated = true;
  flow.transaction = column_uuid(row, 1);
  audit::find_decision(column_text(row, 2), flow.decision);
  audit::find_reason(column_text(row, 3), flow.reason);
  flow.channel = DatumGetTextPCopy(column(row, 4, &is_null));
  flow.policy.target_fmr = DatumGetFloat8(column(row, 5, &is_null));
  flow.repeated_model = column_text(row, 6);
  flow.policy.version = DatumGetInt32(column(row, 7, &is_null));
  flow.seq = DatumGetInt64(column(row, 8, &is_null));
  flow.has_reference = !column_is_null(row, 9);
  if (flow.has_reference) flow.reference = column_uuid(row, 9);
  const char* const wait = column_text(row, 12);
  flow.repeated_object = wait;
  if (wait != nullptr && strncmp(wait, kRetry, strlen(kRetry)) == 0)
    flow.retry_after_us = strtoll(wait + strlen(kRetry), nullptr, 10);
}

}  // namespace

bool repeats(Flow& flow, const RequestArguments& arguments) {
  if (flow.context.business_id == nullptr) return false;
  const audit::EventRecord& record = flow.slot->record;
  digest_request(flow, arguments);
  lock_business_id(flow);
  await_unwritten(record.operation, flow.policy.institution, flow.context.business_id);
  const Datum values[] = {CStringGetTextDatum(flow.context.business_id),
                          Int32GetDatum(flow.policy.institution),
                          CStringGetTextDatum(audit::label(record.operation))};
  begin_newest();
  const uint64 rows = execute(find_calls, values, nullptr, true);
  end_newest();
  for (uint64 row = 0; row < rows; ++row) {
    if (!counts(record.operation, row)) continue;
    if (!is_same_request(record, arguments, column_bytes(row, 10)))
      ereport(ERROR,
              (errcode(ERRCODE_VISAGE_OTHER_REQUEST),
               errmsg("biz_id \"%s\" names another call of %s", flow.context.business_id,
                      audit::label(record.operation)),
               errhint("Event %lld has it. A new call needs a biz_id of its own; the same call is one with "
                       "the same arguments.",
                       static_cast<long long>([&] {
                         bool is_null;
                         return DatumGetInt64(column(row, 8, &is_null));
                       }()))));
    take_over(flow, row);
    drop_record();
    return true;
  }
  return false;
}

void keep_for_repetition(const Flow& flow) {
  audit::EventRecord& record = flow.slot->record;
  if (flow.context.business_id == nullptr || flow.reason != Reason::kLocked) return;
  char wait[64];
  snprintf(wait, sizeof wait, "%s%lld us", kRetry, static_cast<long long>(flow.retry_after_us));
  record.object.set(wait);
  record.mark(audit::Field::kObject);
}

}  // namespace visage::pg
