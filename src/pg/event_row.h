// Rows of visage.event: how a record becomes one, and one a record again.
#pragma once

#include "core/audit/merkle.h"
#include "pg/pg.h"

namespace visage::pg {

// Columns of visage.event, in the order of sql/install/50_audit.sql.
enum EventColumn : int {
  kSeqColumn = 1,
  kAtColumn,
  kOperationColumn,
  kTransactionColumn,
  kCallerColumn,
  kInstitutionColumn,
  kSubjectColumn,
  kChannelColumn,
  kScenarioColumn,
  kDecisionColumn,
  kReasonColumn,
  kTargetFmrColumn,
  kModelColumn,
  kPolicyVersionColumn,
  kSourceColumn,
  kProbeColumn,
  kReferenceColumn,
  kAddressColumn,
  kDeviceColumn,
  kBusinessIdColumn,
  kElapsedColumn,
  kXidColumn,
  kSettlesColumn,
  kObjectColumn,
  kBeforeColumn,
  kAfterColumn,
  kNoteColumn,
  kDetailColumn,
  kSessionColumn,
  kRequestColumn,
  kCaptureColumn,
  kLeafColumn,
  kHeadColumn,
  kEventColumns = kHeadColumn,
};

// Labels of the three enums as this database numbers them.
struct EnumLabels {
  bool loaded;
  Oid type[3];
  Oid operation[static_cast<int>(audit::Operation::kCount)];
  Oid decision[static_cast<int>(audit::Decision::kCount)];
  Oid reason[static_cast<int>(audit::Reason::kCount)];
};

// Needs a transaction. False when the schema lacks one of the types or labels: it is of another version.
bool load_enum_labels(EnumLabels& out);

struct EventRow {
  int64 seq;
  TimestampTz at;
  audit::EventRecord record;
  audit::Hash leaf;
  bool has_head;
  uint8_t head[audit::kHeadSize];
};

// Fills values and nulls of a row, `values` having kEventColumns places; allocates in the current context.
void form_event(const EnumLabels& labels, const EventRow& row, Datum* values, bool* nulls);

// Reads a row back. False when a value could not have been written by us: too long, of another size, an
// unknown label; `out.seq` is set in any case.
bool read_event(const EnumLabels& labels, const Datum* values, const bool* nulls, EventRow& out);

}  // namespace visage::pg
