// Which references changed since a snapshot? The trail that changes leave for searches and the gallery
// worker.
//
// Rows of subject_reference and gallery_code bear the transaction that made them what they are (xid, set by a
// trigger); what was deleted is listed in gallery_removal. So a look at the newest of an index finds all that
// a snapshot did not see, in time that does not grow with the table.
#pragma once

#include "pg/gallery_memory.h"
#include "pg/uuid_list.h"

namespace visage::pg {

struct ChangedReferences {
  UuidList references;  // sorted
  bool removals;        // there are rows in gallery_removal
  bool everything;      // a table was emptied as a whole
};

// Under the active snapshot: references and codes that came or changed, and those that went. For use inside
// SPI.
void collect_changes(const SeenTransactions& seen, ChangedReferences& out);
// Under the active snapshot: references that came or changed alone.
void collect_new_references(const SeenTransactions& seen, UuidList& out);
// Removals that the snapshot saw.
void delete_removals(const SeenTransactions& seen);

}  // namespace visage::pg
