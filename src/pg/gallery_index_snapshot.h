// Snapshots of indexes on disk: where they lie, and what they are sealed for. For the index worker alone.
//
// A folder of its own in the data directory, whose name begins as that of temporary files: pg_basebackup
// leaves it out. So a code that was erased is in no backup of it, and it can always be made anew.
#pragma once

#include "gallery_index/library.h"
#include "pg/pg.h"

namespace visage::pg {

// The row of visage.gallery; false when it is gone. Has a transaction of its own.
bool read_epoch_of(int32 gallery, gallery::Epoch& out);

// kInvalidArgument: there is none.
Status load_snapshot(const gallery_index::Library& library, gallery_index::Kind kind,
                     const gallery_index::Settings& settings, int32 gallery, const gallery::Epoch& epoch,
                     gallery_index::Follower*& out);
Status save_snapshot(const gallery_index::Library& library, gallery_index::Follower& follower, int32 gallery,
                     const gallery::Epoch& epoch);
void remove_snapshot(int32 gallery);
// All of them, or those of galleries that are no more.
void remove_snapshots(bool all);

}  // namespace visage::pg
