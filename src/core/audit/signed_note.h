// C2SP signed-note, with Ed25519 signatures (type 0x01): a text that ends in a newline, a blank line, and
// signature lines. note.h puts a tree head into one.
#pragma once

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/crypto/signature.h"

namespace visage::audit {

inline constexpr uint8_t kEd25519Type = 0x01;
inline constexpr size_t kKeyIdSize = 4;
inline constexpr size_t kMaxForeignNote = 1 << 20;                     // 1 MiB
inline constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // em dash, space

// Not empty, well-formed UTF-8, without Unicode spaces, plus signs and control characters below U+0020.
bool valid_key_name(std::string_view name);

void key_id(std::string_view name, const crypto::VerifyingKey& key, uint8_t out[kKeyIdSize]);

// Gives the signed text, its last newline included, once the signature of `key` under `name` holds. Lines of
// other keys are read and ignored, as the specification wants; a second line of this key is refused, which it
// allows.
Status open_signed_note(std::string_view note, std::string_view name, const crypto::VerifyingKey& key,
                        std::string_view& text);

}  // namespace visage::audit
