// Removing archived events: the only DELETE that the append-only trigger lets pass.
#include "pg/boundary.h"
#include "pg/statement.h"

extern "C" {
#include "commands/trigger.h"
#include "utils/rel.h"
}

namespace visage::pg {
namespace {

// Set for the length of one statement of this process; an error clears it by the next transaction's id.
TransactionId removing = InvalidTransactionId;

Statement keep_head = {
    "UPDATE visage.tree SET archived = $1, archived_head = (SELECT head FROM visage.event WHERE seq = $1 - "
    "1)",
    1,
    {"bigint"}};
Statement delete_events = {"DELETE FROM visage.event WHERE seq < $1", 1, {"bigint"}};
Statement delete_details = {"DELETE FROM visage.event_detail WHERE event < $1", 1, {"bigint"}};

}  // namespace

// remove_events(before): owner's rights, from archive_ledger() alone.
VISAGE_FUNCTION(visage_remove_events) {
  const Datum arguments[] = {PG_GETARG_DATUM(0)};
  SPI_connect();
  execute(keep_head, arguments, nullptr, false);
  removing = GetTopTransactionId();
  execute(delete_details, arguments, nullptr, false);
  execute(delete_events, arguments, nullptr, false);
  removing = InvalidTransactionId;
  SPI_finish();
  PG_RETURN_VOID();
}

// Trigger on what only the audit writer writes.
VISAGE_FUNCTION(visage_refuse_change) {
  if (!CALLED_AS_TRIGGER(fcinfo)) elog(ERROR, "not called as a trigger");
  const auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
  const bool allowed = TransactionIdIsValid(removing) && removing == GetTopTransactionIdIfAny() &&
                       TRIGGER_FIRED_BY_DELETE(trigger->tg_event);
  if (!allowed)
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("visage.%s is append-only", RelationGetRelationName(trigger->tg_relation))));
  return 0;
}

}  // namespace visage::pg
