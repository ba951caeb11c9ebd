#include "gallery_index/snapshot_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/crypto/envelope.h"

namespace visage::gallery_index {
namespace {

constexpr crypto::Envelope kEnvelope = {'X', 1, "snapshot of a gallery's index"};
constexpr std::string_view kLabel = "visage/gallery-snapshot/1";
constexpr size_t kFileSaltSize = 32;
constexpr size_t kSaltOffset = kSnapshotHeaderSize - kFileSaltSize;

// A key for each file: it has a salt of its own, so chunks may count their nonces.
Status derive_file_key(crypto::Engine& engine, const keys::KeyRing& ring, crypto::Suite suite,
                       const gallery::Epoch& epoch, Bytes file_salt, KeyBytes<crypto::kMaxKeySize>& out) {
  const keys::Root* root;
  VISAGE_TRY(keys::find_root(ring.transform, epoch.transform_version, "transform", root));
  uint8_t info[kLabel.size() + 1 + probe::kModelDigestSize + 2 + 4 + 4 + gallery::kSaltSize];
  Writer writer(info);
  writer.bytes(as_bytes(kLabel));
  writer.number(suite);
  writer.write(epoch.model_digest, sizeof epoch.model_digest);
  writer.number(epoch.dimension);
  writer.number(epoch.institution);
  writer.number(epoch.number);
  writer.write(epoch.salt, sizeof epoch.salt);
  return engine.hkdf(suite, root->view(), {}, file_salt, info, {out.bytes, crypto::key_size(suite)});
}

struct ChunkNonce {
  uint8_t bytes[crypto::kNonceSize];
  ChunkNonce(uint64_t chunk, bool last) {
    Writer writer(bytes);
    writer.number(chunk);
    writer.number(uint32_t{last});
  }
};

struct Aad {
  uint8_t bytes[kLabel.size() + kSnapshotHeaderSize];
  explicit Aad(const uint8_t* header) {
    std::memcpy(bytes, kLabel.data(), kLabel.size());
    std::memcpy(bytes + kLabel.size(), header, kSnapshotHeaderSize);
  }
};

Status of_file(const char* what) {
  char buffer[64] = "";
  return Status::error(Code::kInternal, "could not %s the snapshot of a gallery's index: %s", what,
                       strerror_r(errno, buffer, sizeof buffer));
}

bool write_all(int file, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

bool read_all(int file, uint64_t offset, MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = ::pread(file, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<uint64_t>(got);
    out = out.subspan(static_cast<size_t>(got));
  }
  return true;
}

bool sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced;
}

}  // namespace

SnapshotWriter::~SnapshotWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink((path_ + ".new").c_str());
}

Status SnapshotWriter::begin(const std::string& path, const SnapshotLabel& label) {
  path_ = path;
  Writer writer(header_);
  crypto::write_beginning(writer, kEnvelope, suite_, label.kind);
  writer.number(epoch_.transform_version);
  writer.number(epoch_.institution);
  writer.number(epoch_.number);
  writer.number(label.library);
  writer.number(label.codes);
  writer.number(static_cast<uint32_t>(kSnapshotChunk));
  uint8_t salt[kFileSaltSize];
  VISAGE_TRY(engine_.random(salt));
  writer.write(salt, sizeof salt);
  if (!writer.ok() || writer.position() != kSnapshotHeaderSize)
    return Status::error(Code::kInternal, "a snapshot's header does not fit its own format");
  VISAGE_TRY(derive_file_key(engine_, ring_, suite_, epoch_, salt, key_.value));
  plain_.reserve(kSnapshotChunk);
  sealed_.resize(kSnapshotChunk + crypto::tag_size(suite_));
  const std::string name = path + ".new";
  ::unlink(name.c_str());
  file_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file_ < 0) return of_file("make");
  return write_all(file_, header_) ? Status{} : of_file("write");
}

Status SnapshotWriter::seal_chunk(bool last) {
  const ChunkNonce nonce(chunk_++, last);
  const Aad aad(header_);
  const MutableBytes out(sealed_.data(), plain_.size() + crypto::tag_size(suite_));
  VISAGE_TRY(engine_.seal(suite_, {key_.value.bytes, crypto::key_size(suite_)}, nonce.bytes, aad.bytes,
                          plain_, out));
  plain_.clear();
  return write_all(file_, out) ? Status{} : of_file("write");
}

Status SnapshotWriter::write(Bytes bytes) {
  while (!bytes.empty()) {
    // A full chunk is sealed when more comes: only then it is known not to be the last.
    if (plain_.size() == kSnapshotChunk) VISAGE_TRY(seal_chunk(false));
    const Bytes part = bytes.first(std::min(bytes.size(), kSnapshotChunk - plain_.size()));
    plain_.insert(plain_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
  }
  return {};
}

Status SnapshotWriter::finish() {
  if (file_ < 0 || plain_.empty()) return Status::error(Code::kInternal, "an empty snapshot");
  VISAGE_TRY(seal_chunk(true));
  engine_.forget_keys();
  const std::string name = path_ + ".new";
  if (::fsync(file_) != 0) return of_file("flush");
  if (::rename(name.c_str(), path_.c_str()) != 0) return of_file("rename");
  ::close(file_);
  file_ = -1;
  return sync_folder_of(path_) ? Status{} : of_file("flush the folder of");
}

SnapshotReader::~SnapshotReader() {
  if (file_ >= 0) ::close(file_);
  engine_.forget_keys();
}

Status SnapshotReader::parse_header() {
  Reader reader(header_);
  VISAGE_TRY(crypto::read_beginning(reader, kEnvelope, suite_, label_.kind));
  const auto transform_version = reader.number<uint32_t>();
  const auto institution = reader.number<uint32_t>();
  const auto epoch = reader.number<uint32_t>();
  label_.library = reader.number<uint32_t>();
  label_.codes = reader.number<uint64_t>();
  if (reader.number<uint32_t>() != kSnapshotChunk)
    return Status::error(Code::kMalformed, "gallery snapshot of another chunk size");
  if (transform_version != epoch_.transform_version || institution != epoch_.institution ||
      epoch != epoch_.number)
    return Status::error(Code::kAuthenticationFailed, "gallery snapshot is of another epoch");
  return {};
}

Status SnapshotReader::open(const std::string& path, SnapshotLabel& label) {
  file_ = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file_ < 0 && errno == ENOENT) return Status::error(Code::kInvalidArgument, "there is no snapshot");
  struct stat about;
  if (file_ < 0 || ::fstat(file_, &about) != 0) return of_file("open");
  if (!S_ISREG(about.st_mode) || static_cast<uint64_t>(about.st_size) < kSnapshotHeaderSize)
    return Status::error(Code::kMalformed, "not a snapshot of a gallery's index");
  size_ = static_cast<uint64_t>(about.st_size) - kSnapshotHeaderSize;
  if (!read_all(file_, 0, header_)) return of_file("read");
  VISAGE_TRY(parse_header());
  const size_t tag = crypto::tag_size(suite_), whole = kSnapshotChunk + tag;
  chunks_ = (size_ + whole - 1) / whole;
  if (chunks_ == 0 || size_ - (chunks_ - 1) * whole <= tag)
    return Status::error(Code::kMalformed, "gallery snapshot has the wrong length");
  VISAGE_TRY(
      derive_file_key(engine_, ring_, suite_, epoch_, Bytes(header_).subspan(kSaltOffset), key_.value));
  plain_.reserve(kSnapshotChunk);
  sealed_.resize(whole);
  for (uint64_t chunk = 0; chunk < chunks_; ++chunk) VISAGE_TRY(open_chunk(chunk));
  chunk_ = 0;
  wipe(plain_.data(), plain_.size());
  plain_.clear();
  position_ = 0;
  label = label_;
  return {};
}

Status SnapshotReader::open_chunk(uint64_t chunk) {
  const size_t tag = crypto::tag_size(suite_), whole = kSnapshotChunk + tag;
  const bool last = chunk == chunks_ - 1;
  const MutableBytes sealed(sealed_.data(), last ? static_cast<size_t>(size_ - chunk * whole) : whole);
  if (!read_all(file_, kSnapshotHeaderSize + chunk * whole, sealed)) return of_file("read");
  plain_.resize(sealed.size() - tag);
  const ChunkNonce nonce(chunk, last);
  const Aad aad(header_);
  const Status status = engine_.open_with_kept_key(suite_, {key_.value.bytes, crypto::key_size(suite_)},
                                                   nonce.bytes, aad.bytes, sealed, plain_);
  if (status.code == Code::kAuthenticationFailed)
    return Status::error(Code::kAuthenticationFailed,
                         "gallery snapshot does not open: it was altered, or the key is another");
  return status;
}

Status SnapshotReader::read(MutableBytes out) {
  while (!out.empty()) {
    if (position_ == plain_.size()) {
      if (chunk_ == chunks_) return Status::error(Code::kMalformed, "gallery snapshot ends too early");
      VISAGE_TRY(open_chunk(chunk_++));
      position_ = 0;
    }
    const size_t part = std::min(out.size(), plain_.size() - position_);
    std::memcpy(out.data(), plain_.data() + position_, part);
    position_ += part;
    out = out.subspan(part);
  }
  return {};
}

}  // namespace visage::gallery_index
