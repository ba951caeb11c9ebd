#include "core/audit/note.h"

#include <charconv>

#include "core/audit/signed_note.h"
#include "core/base/base64.h"
#include "core/base/utf8.h"

namespace visage::audit {
namespace {

constexpr size_t kMaxDigits = 20;
constexpr size_t kRootLength = base64_size(kHashSize);
constexpr size_t kMaxTextSize = kMaxOriginLength + 1 + kMaxDigits + 1 + kRootLength + 1;
constexpr size_t kLineSize = kKeyIdSize + kSignatureSize;
static_assert(kMaxTextSize + 1 + kSignaturePrefix.size() + kMaxOriginLength + 1 + base64_size(kLineSize) +
                  1 <=
              kMaxNoteSize);

Status malformed(const char* what) {
  return Status::error(Code::kMalformed, "tree head: %s", what);
}

void write(Writer& writer, std::string_view text) {
  writer.bytes(as_bytes(text));
}

template <size_t kBytes>
void write_base64(Writer& writer, const uint8_t (&bytes)[kBytes]) {
  char text[base64_size(kBytes)];
  encode_base64(bytes, text);
  writer.write(text, sizeof text);
}

Status finish(const Writer& writer, size_t& size) {
  if (!writer.ok()) return Status::error(Code::kInternal, "note exceeds its buffer");
  size = writer.position();
  return {};
}

Status check(const Checkpoint& checkpoint) {
  if (checkpoint.origin.size > kMaxOriginLength || !valid_origin(checkpoint.origin.view()))
    return Status::error(Code::kInvalidArgument, "the ledger's name cannot be an origin");
  if (checkpoint.size > kMaxTreeSize)
    return Status::error(Code::kInvalidArgument, "tree head: size out of bounds");
  return {};
}

struct SignedText {
  uint8_t bytes[kMaxTextSize];
  size_t size;

  Bytes view() const { return {bytes, size}; }
};

// The next line without its newline; false when there is none or it is empty.
bool take_line(std::string_view& text, std::string_view& line) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos || end == 0) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

bool parse_size(std::string_view text, uint64_t& out) {
  if (text.size() > 1 && text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= kMaxTreeSize;
}

}  // namespace

bool valid_origin(std::string_view origin) {
  if (origin.size() > kMaxOriginLength || !valid_key_name(origin)) return false;
  for (uint32_t point; !origin.empty();)
    if (!take_code_point(origin, point) || (point >= 0x7f && point < 0xa0)) return false;
  return true;
}

Status checkpoint_text(const Checkpoint& checkpoint, MutableBytes out, size_t& size) {
  VISAGE_TRY(check(checkpoint));
  char digits[kMaxDigits];
  const char* const end = std::to_chars(digits, digits + sizeof digits, checkpoint.size).ptr;
  Writer writer(out);
  write(writer, checkpoint.origin.view());
  write(writer, "\n");
  write(writer, {digits, end});
  write(writer, "\n");
  write_base64(writer, checkpoint.root.bytes);
  write(writer, "\n");
  return finish(writer, size);
}

Status sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key,
                       uint8_t out[kSignatureSize]) {
  SignedText text;
  VISAGE_TRY(checkpoint_text(checkpoint, text.bytes, text.size));
  return crypto::sign(key, text.view(), out);
}

Status sign_checkpoint(const Checkpoint& checkpoint, crypto::Signer& signer, uint8_t out[kSignatureSize]) {
  SignedText text;
  VISAGE_TRY(checkpoint_text(checkpoint, text.bytes, text.size));
  return signer.sign(text.view(), out);
}

Status verify_checkpoint(const Checkpoint& checkpoint, const crypto::VerifyingKey& key,
                         const uint8_t signature[kSignatureSize]) {
  SignedText text;
  VISAGE_TRY(checkpoint_text(checkpoint, text.bytes, text.size));
  return crypto::verify(key, text.view(), signature);
}

Status format_note(const Checkpoint& checkpoint, const crypto::VerifyingKey& key,
                   const uint8_t signature[kSignatureSize], MutableBytes out, size_t& size) {
  size_t text_size;
  VISAGE_TRY(checkpoint_text(checkpoint, out, text_size));
  uint8_t line[kLineSize];
  key_id(checkpoint.origin.view(), key, line);
  std::memcpy(line + kKeyIdSize, signature, kSignatureSize);
  Writer writer(out.subspan(text_size));
  write(writer, "\n");
  write(writer, kSignaturePrefix);
  write(writer, checkpoint.origin.view());
  write(writer, " ");
  write_base64(writer, line);
  write(writer, "\n");
  VISAGE_TRY(finish(writer, size));
  size += text_size;
  return {};
}

Status parse_checkpoint(std::string_view text, Checkpoint& out) {
  std::string_view origin, size, root, extension;
  if (!take_line(text, origin) || !take_line(text, size) || !take_line(text, root))
    return malformed("fewer than three lines");
  while (!text.empty())
    if (!take_line(text, extension)) return malformed("an extension line is empty or cut");
  if (!valid_origin(origin)) return malformed("the first line cannot be an origin");
  if (!parse_size(size, out.size)) return malformed("the second line is not a size");
  uint8_t decoded[base64_size(kHashSize) / 4 * 3];
  size_t decoded_size = 0;
  if (root.size() != kRootLength || !decode_base64(root, decoded, decoded_size).ok() ||
      decoded_size != kHashSize)
    return malformed("the third line is not the base64 of a hash");
  out.origin.set(origin);
  std::memcpy(out.root.bytes, decoded, kHashSize);
  return {};
}

Status parse_note(std::string_view note, const crypto::VerifyingKey& key, std::string_view expected_origin,
                  Checkpoint& out) {
  if (!valid_origin(expected_origin))
    return Status::error(Code::kInvalidArgument, "the expected origin cannot be one");
  std::string_view text;
  VISAGE_TRY(open_signed_note(note, expected_origin, key, text));
  Checkpoint checkpoint;
  VISAGE_TRY(parse_checkpoint(text, checkpoint));
  if (checkpoint.origin.view() != expected_origin)
    return Status::error(Code::kAuthenticationFailed, "tree head: of another origin");
  out = checkpoint;
  return {};
}

Status format_verifier_key(std::string_view origin, const crypto::VerifyingKey& key, MutableBytes out,
                           size_t& size) {
  if (!valid_origin(origin))
    return Status::error(Code::kInvalidArgument, "the ledger's name cannot be an origin");
  uint8_t id[kKeyIdSize];
  key_id(origin, key, id);
  char hex[2 * kKeyIdSize + 1];
  std::snprintf(hex, sizeof hex, "%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
  uint8_t typed[1 + crypto::kEd25519Size] = {kEd25519Type};
  std::memcpy(typed + 1, key.bytes, crypto::kEd25519Size);
  Writer writer(out);
  write(writer, origin);
  write(writer, "+");
  write(writer, hex);
  write(writer, "+");
  write_base64(writer, typed);
  return finish(writer, size);
}

}  // namespace visage::audit
