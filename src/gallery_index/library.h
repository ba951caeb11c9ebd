// What pg_visage_gallery.so gives to pg_visage.so: a table of functions, found by name.
//
// FAISS, OpenMP and BLAS are in the former alone, and only the index worker loads it: what they bring is
// never in a process that talks to a client. Both are built from one tree; `version` tells another one's.
#pragma once

#include "core/gallery/code.h"
#include "gallery_index/follower.h"

namespace visage::gallery_index {

inline constexpr uint32_t kLibraryVersion = 1;
inline constexpr char kLibraryName[] = "pg_visage_gallery";
inline constexpr char kLibraryFunction[] = "visage_gallery_library";

struct Library {
  uint32_t version;
  uint32_t settings_size;  // of Settings, and so of what else may have changed
  void (*warm_up)(int threads);
  Status (*check)(const Settings& settings);
  size_t (*expected_memory)(Kind kind, const Settings& settings, size_t codes);
  Status (*create)(Kind kind, const Settings& settings, std::span<const uint64_t> sample,
                   const std::function<bool()>& proceed, Follower*& out);
  void (*destroy)(Follower* follower);
  // gallery_index/snapshot.h, with a crypto engine of its own.
  Status (*save)(Follower& follower, const keys::KeyRing& ring, crypto::Suite suite,
                 const gallery::Epoch& epoch, const char* path);
  Status (*load)(Kind kind, const Settings& settings, const keys::KeyRing& ring, const gallery::Epoch& epoch,
                 const char* path, Follower*& out);
};

// The table of this build; for the shared object's one exported function.
const Library& library();

}  // namespace visage::gallery_index
