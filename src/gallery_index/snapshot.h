// An index in a sealed file, and back. A snapshot has the codes and no places: whoever loads one binds it to
// the gallery as it is now, so that a stale snapshot is an incomplete index and never a wrong one.
#pragma once

#include <string>

#include "gallery_index/index.h"
#include "gallery_index/snapshot_file.h"

namespace visage::gallery_index {

Status save(const Index& index, crypto::Engine& engine, const keys::KeyRing& ring, crypto::Suite suite,
            const gallery::Epoch& epoch, const std::string& path);

// The whole file is authenticated before FAISS reads a byte of it. kUnsupported when it is of another kind or
// FAISS, or was made with other settings: then the index is made anew, as with any other error.
Status load(Kind kind, const Settings& settings, crypto::Engine& engine, const keys::KeyRing& ring,
            const gallery::Epoch& epoch, const std::string& path, std::unique_ptr<Index>& out);

}  // namespace visage::gallery_index
