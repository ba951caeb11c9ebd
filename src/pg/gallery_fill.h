// From the tables into memory: how the gallery worker reads references and opens their codes.
//
// All of it inside one transaction with one snapshot, so that what was read is what that snapshot saw.
#pragma once

#include "pg/gallery_places.h"
#include "pg/gallery_store.h"
#include "pg/uuid_list.h"

namespace visage::pg {

// The worker's own view of a gallery; its number is that in GalleryShared.
struct WorkerGallery {
  bool used;
  bool wanted;   // the table still has it
  bool to_load;  // what memory has of it is nothing, or no longer right
  GalleryName name;
  GalleryState state;
  GalleryState told;  // what the log was last told of why it is not in memory
  bool key_missing;
  uint64 unopened;
  int64 done;
  int64 due;
  int epoch_count;
  Gallery epochs[kMaxEpochs];  // chain i + 1 is that of epochs[i]
  // For this transaction; null until asked for, or when their root is not loaded.
  gallery::EpochMasks* masks[kMaxEpochs];
};

// Forgets what was derived for the last transaction.
void begin_filling(WorkerGallery* galleries, int count);

// Reads which epochs there are. Galleries that are new, or whose epochs no longer fit their chains, are to be
// loaded; those that are gone are not wanted. Returns how many places of `galleries` are used.
int read_galleries(WorkerGallery* galleries, int count);

// Reads all references of one; `tell` is called now and then, after `done` has changed.
void load_gallery(WorkerGallery& gallery, int number, uint64 next_publication, void (*tell)(int number));

// Reads these references anew, of whatever gallery; those that are gone leave memory. The list is sorted.
void refresh_references(WorkerGallery* galleries, int count, const UuidList& references,
                        uint64 next_publication);

}  // namespace visage::pg
