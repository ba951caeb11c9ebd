// Codes of a gallery as rows: made with a reference, of the same capture, and kept as long as it.
#pragma once

#include "core/gallery/code.h"
#include "pg/pg.h"

namespace visage::pg {

// The epoch that new references of a model get a code of.
struct Gallery {
  bool open;
  int32 id;
  gallery::Epoch epoch;
};

// An epoch's row, as its first columns, and what they say of it. For use inside SPI.
#define VISAGE_EPOCH_COLUMNS "g.id, g.epoch, g.dimension, g.suite, g.transform_version, g.salt"
void read_epoch(uint64 row, int32 institution, std::string_view model, Gallery& out);

// Of an institution and a probe's model; not open where there is none. For use inside SPI.
void find_gallery(int32 institution, const probe::Contents& probe, Gallery& out);

// The code of the reference that was made of the same probe. `out` has gallery::sealed_code_size() bytes.
Status encode(const Gallery& gallery, const keys::SubjectKey& subject_key, const probe::Contents& probe,
              const reference::Header& of, MutableBytes out);

// Stores it, in the place of an earlier generation's; null: there is none, and an earlier one goes. For use
// inside SPI, after the reference's row.
void store_code(int32 gallery, const reference::Header& of, struct varlena* sealed);

// A search's probe in the epochs of its model's gallery, and how far it looks.
inline constexpr int kMaxEpochs = 4;
// Probability that somebody is passed over whom the 1:1 comparison would have found.
inline constexpr double kMiss = 1e-6;
struct ProbeCodes {
  int count;
  uint32_t bound;
  struct Each {
    Gallery gallery;
    gallery::EpochMasks masks;
    gallery::SignCode code;
  } each[kMaxEpochs];
};

// For a search that finds those who reach `threshold`, with references of `code_bits`. Lives in the current
// memory context, and is wiped as that ends. For use inside SPI.
ProbeCodes* make_probe_codes(int32 institution, const probe::Contents& probe, double threshold,
                             size_t code_bits);

// A code as its row has it.
struct StoredCode {
  int32 gallery;
  Bytes sealed;
};

// Is the code too far from the probe's for a score that reaches the threshold? False where that cannot be
// told, of a code that does not open too: then the reference is compared. For use inside guarded().
bool is_far(const ProbeCodes& codes, const StoredCode& stored, const keys::SubjectKey& subject_key,
            const gallery::CodeOwner& of);

}  // namespace visage::pg
