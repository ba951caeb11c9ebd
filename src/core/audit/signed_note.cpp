#include "core/audit/signed_note.h"

#include <algorithm>

#include "core/base/base64.h"
#include "core/base/utf8.h"
#include "core/crypto/engine.h"

namespace visage::audit {
namespace {

constexpr size_t kLineSize = kKeyIdSize + crypto::kEd25519SignatureSize;

Status malformed(const char* what) {
  return Status::error(Code::kMalformed, "note: %s", what);
}

// Unicode's White_Space.
bool is_space(uint32_t point) {
  return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
         point == 0x202f || point == 0x205f || point == 0x3000;
}

Status check_characters(std::string_view note) {
  for (uint32_t point; !note.empty();) {
    if (!take_code_point(note, point)) return malformed("not UTF-8");
    if (point < 0x20 && point != '\n') return malformed("control character");
  }
  return {};
}

struct Signature {
  size_t size;               // of key id and signature, as decoded
  uint8_t bytes[kLineSize];  // the first of them
};

// Signatures of other algorithms may be long: what is past ours is checked and dropped.
bool decode_signature(std::string_view text, Signature& out) {
  constexpr size_t kCharacters = 64, kBytes = kCharacters / 4 * 3;
  out.size = 0;
  while (!text.empty()) {
    uint8_t bytes[kBytes];
    size_t size;
    const std::string_view part = text.substr(0, kCharacters);
    text.remove_prefix(part.size());
    if (!decode_base64(part, bytes, size).ok() || (size < kBytes && !text.empty())) return false;
    if (out.size < kLineSize) std::memcpy(out.bytes + out.size, bytes, std::min(size, kLineSize - out.size));
    out.size += size;
  }
  return out.size > kKeyIdSize;
}

Status parse_line(std::string_view line, std::string_view& name, Signature& signature) {
  if (!line.starts_with(kSignaturePrefix)) return malformed("a line after the blank one is no signature");
  line.remove_prefix(kSignaturePrefix.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return malformed("a signature line without a signature");
  name = line.substr(0, space);
  if (!valid_key_name(name)) return malformed("a signature line without a key's name");
  if (!decode_signature(line.substr(space + 1), signature))
    return malformed("a signature that is not base64 of a key id and a signature");
  return {};
}

}  // namespace

bool valid_key_name(std::string_view name) {
  if (name.empty()) return false;
  for (uint32_t point; !name.empty();)
    if (!take_code_point(name, point) || point < 0x20 || point == '+' || is_space(point)) return false;
  return true;
}

void key_id(std::string_view name, const crypto::VerifyingKey& key, uint8_t out[kKeyIdSize]) {
  uint8_t rest[2 + crypto::kEd25519Size];
  Writer writer(rest);
  writer.number('\n');
  writer.number(kEd25519Type);
  writer.bytes(key.bytes);
  uint8_t digest[crypto::kDigestSize];
  crypto::sha256(as_bytes(name), rest, digest);
  std::memcpy(out, digest, kKeyIdSize);
}

Status open_signed_note(std::string_view note, std::string_view name, const crypto::VerifyingKey& key,
                        std::string_view& text) {
  if (note.size() > kMaxForeignNote) return malformed("longer than 1 MiB");
  VISAGE_TRY(check_characters(note));
  const size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return malformed("no blank line between text and signatures");
  std::string_view lines = note.substr(blank + 2);
  if (lines.empty() || lines.back() != '\n')
    return malformed("the last line is no signature line, or is cut");

  uint8_t id[kKeyIdSize];
  key_id(name, key, id);
  Signature ours;
  bool found = false;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    std::string_view signer;
    Signature signature;
    VISAGE_TRY(parse_line(line, signer, signature));
    if (signer != name || std::memcmp(signature.bytes, id, kKeyIdSize) != 0) continue;
    if (found) return malformed("two signatures of the key");
    found = true;
    ours = signature;
  }
  if (!found) return Status::error(Code::kKeyMissing, "note: no signature of the key");
  if (ours.size != kLineSize)
    return Status::error(Code::kAuthenticationFailed, "note: the key's signature has the wrong length");
  const std::string_view signed_text = note.substr(0, blank + 1);
  VISAGE_TRY(crypto::verify(key, as_bytes(signed_text), ours.bytes + kKeyIdSize));
  text = signed_text;
  return {};
}

}  // namespace visage::audit
