// Settings of the extension. docs/operations.md explains each.
#pragma once

#include "core/crypto/engine.h"
#include "core/reference/kernels.h"
#include "gallery_index/index.h"

namespace visage::pg::settings {

void init();

// Custodies' providers, "file:<path>" or "command:<argv>"; empty when not set. Fixed at server start.
extern char* key_provider;
extern char* transform_key_provider;
// Name of the institution that the session acts for.
extern char* institution;
// Seconds that a capture source's clock may differ from the database's.
extern int clock_skew;
// Seconds after capture at which any probe has expired, whatever its source says.
extern int probe_max_age;
// Places in the replay memory.
extern int max_probes;
// Database whose ledger this server keeps.
extern char* database;
// Name of a new ledger; empty: made from the server's identity.
extern char* ledger_origin;
// Milliseconds that a verdict waits for its record.
extern int audit_timeout;
// Whether the keeper works by itself, and seconds between its rounds.
extern bool keeper;
extern int keeper_interval;
// Places for counters of attempts.
extern int max_attempt_counters;
// Megabytes for galleries in memory; 0: none, as in a session without preload. The places of more could not
// be numbered in 32 bits.
extern int gallery_memory;
inline constexpr int kMaxGalleryMemory = 512 * 1024;
// Whether codes may only be where the system locks their memory.
extern bool gallery_memory_locked;

// How candidates of a search are found.
enum class SearchMethod { kAuto, kExact, kTable, kHnsw, kIvf };
SearchMethod search_method();
// Whether searches ask an index, and which kind.
bool searches_index(gallery_index::Kind& kind);

// Whether the index worker keeps an index of each gallery, and which kind.
bool keeps_index(gallery_index::Kind& kind);
// Kilobytes that all indexes may take together.
extern int index_memory;
// Threads that add to an index.
extern int index_threads;
// How far a search of an index looks: codes in sight (HNSW), thousandths of the lists (IVF).
extern int index_beam;
extern int index_probed;
// Milliseconds that a search waits for an index.
extern int index_timeout;

crypto::Suite suite();
// The comparison's inner loops: the machine's best, unless visage.kernels forces another level.
const reference::Kernels& kernels();

}  // namespace visage::pg::settings
