// The ledger as the tables hold it, read through SPI: its tree, its hashes, its newest head.
#pragma once

#include "core/audit/note.h"
#include "pg/event_row.h"

namespace visage::pg {

// Subtrees at these levels are stored; below, leaves are read.
inline constexpr int kStoredLevelStep = 8;

struct Tree {
  audit::Text<audit::kMaxOriginLength> origin;
  crypto::Suite suite;
  uint32_t key_version;
  int64 system_identifier;
  uint64 archived;
  bool has_archived_head;  // of the last event that was archived
  uint8_t archived_head[audit::kHeadSize];
};

// visage.tree's row; false when the ledger is not open yet. All of these for use inside SPI.
bool load_tree(Tree& out);
// Number of events, as the active snapshot sees them; with the newest event's head, if that carries one.
uint64 ledger_size(const Tree* tree, bool& has_head, uint8_t (&head)[audit::kHeadSize]);
// The head that the event before `seq` carries.
void load_head_before(uint64 seq, bool& has_head, uint8_t (&head)[audit::kHeadSize]);
// The public key of a root version; false when visage.tree_key has none.
bool load_tree_key(uint32_t key_version, crypto::VerifyingKey& out);

// Parts of a head.
uint32_t head_key_version(const uint8_t* head);
const audit::Hash& head_root(const uint8_t* head);
const uint8_t* head_signature(const uint8_t* head);

// An audit::SubtreeSource over visage.event and visage.tree_node. Its context is a SubtreeReader. Fails when
// rows are missing. It raises no error of its own, but SPI may: so proofs are made outside guarded().
struct SubtreeReader {
  audit::TreeHasher hasher;
};
Status read_subtree(void* reader, int level, uint64_t index, audit::Hash& out);

}  // namespace visage::pg
