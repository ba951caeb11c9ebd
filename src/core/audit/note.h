// Tree heads as text: C2SP tlog-checkpoint inside a C2SP signed note.
//
//   <origin>\n<size>\n<base64 of the root>\n
//   \n
//   — <name> <base64 of (key id, 4 bytes ‖ Ed25519 signature, 64 bytes)>\n
//
// The signature is over the first three lines, each with its newline. The key id is the first four bytes of
// SHA-256(name ‖ "\n" ‖ 0x01 ‖ public key). The key's name is the origin.
#pragma once

#include "core/audit/merkle.h"
#include "core/crypto/signature.h"

namespace visage::audit {

inline constexpr size_t kMaxOriginLength = 255;
inline constexpr size_t kMaxNoteSize = 1024;  // of a note with one signature, as we write it

struct Checkpoint {
  Text<kMaxOriginLength> origin;
  uint64_t size;
  Hash root;
};

// 1 to 255 bytes without spaces, plus signs or control characters, as a note's key name.
bool valid_origin(std::string_view origin);

// The signed text (three lines).
Status checkpoint_text(const Checkpoint& checkpoint, MutableBytes out, size_t& size);
Status sign_checkpoint(const Checkpoint& checkpoint, const crypto::SigningKey& key,
                       uint8_t out[kSignatureSize]);
Status sign_checkpoint(const Checkpoint& checkpoint, crypto::Signer& signer, uint8_t out[kSignatureSize]);
Status verify_checkpoint(const Checkpoint& checkpoint, const crypto::VerifyingKey& key,
                         const uint8_t signature[kSignatureSize]);

// The whole note with one signature line.
Status format_note(const Checkpoint& checkpoint, const crypto::VerifyingKey& key,
                   const uint8_t signature[kSignatureSize], MutableBytes out, size_t& size);
// Reads the signed text; lines after the third are not looked at, but none may be empty. kMalformed.
Status parse_checkpoint(std::string_view text, Checkpoint& out);
// Reads a note that may carry other signatures (of witnesses) and extension lines; picks the line of `key`.
// The text is hostile: kMalformed says what is wrong, kKeyMissing when no line is of the key,
// kAuthenticationFailed when its signature does not hold or the text is of another origin. `out` is written
// only when all is well.
Status parse_note(std::string_view note, const crypto::VerifyingKey& key, std::string_view expected_origin,
                  Checkpoint& out);

// "<name>+<8 hex digits of the key id>+<base64 of (0x01 ‖ public key)>": how notes' tools take a public key.
Status format_verifier_key(std::string_view origin, const crypto::VerifyingKey& key, MutableBytes out,
                           size_t& size);

}  // namespace visage::audit
