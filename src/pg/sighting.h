// What rules that look at the past compare with: visage.sighting, docs/policy.md.
#pragma once

#include "core/risk/risk.h"
#include "pg/context.h"
#include "pg/ledger_writer.h"
#include "pg/pg.h"

namespace visage::pg {

// More of a subject's calls are not looked at.
inline constexpr int kMaxSightings = 256;

// Has the audit writer remember the call that the slot records. The event says whose it was and from where.
void keep_sighting(const Context& context, bool accepted, Slot& slot);

// The newest sightings of a subject after `since` and before `until`, newest first, into kMaxSightings
// places. For use inside SPI.
risk::Past read_past(const Uuid& subject, TimestampTz since, TimestampTz until, risk::Sighting* out);

// The audit writer's part: inside its transaction, with a snapshot and SPI. Neither waits for anybody's lock:
// whoever holds it may be waiting for the writer.
void append_sightings(const NewEvent* events, int count);
void expire_sightings();

}  // namespace visage::pg
