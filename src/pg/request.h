// One biz_id, one call: a call that is made again with the same arguments gets the outcome of the first.
#pragma once

#include "pg/flow.h"

namespace visage::pg {

// What tells two calls apart beside channel, scenario and context. Null: the flow has none.
struct RequestArguments {
  const text* subject = nullptr;
  const struct varlena* probe = nullptr;
  const struct varlena* document = nullptr;
  const Uuid* reference = nullptr;
  const char* kind = nullptr;
};

// For a call that names a biz_id, right after begin_flow(): true when the ledger has this very call already,
// and finish_flow() then returns its outcome without a second record. Raises when it has another call of that
// name. A call that is under way, in this or another session, is waited for. Rolled back changes do not
// count.
bool repeats(Flow& flow, const RequestArguments& arguments);

// What the record must keep for it beside the digest.
void keep_for_repetition(const Flow& flow);

}  // namespace visage::pg
