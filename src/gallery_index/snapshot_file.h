// A sealed file: what an index is kept in across restarts of the server. Knows nothing of FAISS.
//
// The file is a header and chunks, each sealed for itself under one key of this file; the number of a chunk
// and whether it is the last are in its nonce, so that none can be left out, moved or cut off. The layout is
// docs/formats.md "gallery snapshot". It comes from a disk, so it is hostile: open() authenticates all of it
// before anybody reads a byte, and each chunk is authenticated once more when it is read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/wiping_allocator.h"
#include "core/crypto/engine.h"
#include "core/gallery/code.h"

namespace visage::gallery_index {

inline constexpr size_t kSnapshotChunk = size_t{1} << 20;
inline constexpr size_t kSnapshotHeaderSize = 64;

// What a snapshot is of. Everything but `codes` must be what the reader expects.
struct SnapshotLabel {
  uint8_t kind;      // of the index
  uint32_t library;  // whose form the contents have: FAISS's version
  uint64_t codes;
};

using ChunkBytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;

class SnapshotWriter {
 public:
  SnapshotWriter(crypto::Engine& engine, const keys::KeyRing& ring, crypto::Suite suite,
                 const gallery::Epoch& epoch)
      : engine_(engine), ring_(ring), suite_(suite), epoch_(epoch) {}
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // Begins `<path>.new`; what is there of that name is overwritten.
  Status begin(const std::string& path, const SnapshotLabel& label);
  Status write(Bytes bytes);
  // Makes it durable under its name. Without it nothing is left behind.
  Status finish();

 private:
  Status seal_chunk(bool last);

  crypto::Engine& engine_;
  const keys::KeyRing& ring_;
  crypto::Suite suite_;
  const gallery::Epoch& epoch_;
  std::string path_;
  int file_ = -1;
  uint8_t header_[kSnapshotHeaderSize];
  Secret<KeyBytes<crypto::kMaxKeySize>> key_;
  uint64_t chunk_ = 0;
  ChunkBytes plain_;
  std::vector<uint8_t> sealed_;
};

class SnapshotReader {
 public:
  SnapshotReader(crypto::Engine& engine, const keys::KeyRing& ring, const gallery::Epoch& epoch)
      : engine_(engine), ring_(ring), epoch_(epoch) {}
  ~SnapshotReader();
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;

  // Authenticates the whole file. kInvalidArgument when there is none, kMalformed or kUnsupported when it is
  // not such a file, kAuthenticationFailed when anything was altered or it is another epoch's.
  Status open(const std::string& path, SnapshotLabel& label);
  // The next bytes, as many as asked for: kMalformed when there are fewer.
  Status read(MutableBytes out);
  bool at_end() const { return chunk_ == chunks_ && position_ == plain_.size(); }

 private:
  Status open_chunk(uint64_t chunk);
  Status parse_header();

  crypto::Engine& engine_;
  const keys::KeyRing& ring_;
  const gallery::Epoch& epoch_;
  int file_ = -1;
  uint8_t header_[kSnapshotHeaderSize];
  crypto::Suite suite_ = crypto::Suite::kAes256Gcm;
  SnapshotLabel label_ = {};
  Secret<KeyBytes<crypto::kMaxKeySize>> key_;
  uint64_t size_ = 0;    // of what follows the header
  uint64_t chunks_ = 0;  // in all
  uint64_t chunk_ = 0;   // read so far
  ChunkBytes plain_;
  size_t position_ = 0;
  std::vector<uint8_t> sealed_;
};

}  // namespace visage::gallery_index
