// Notes of tree heads. As a note: what parses was signed. As a text that is signed here: what parses is the
// only text of its head, and a note opens exactly when its text is one.
#include "core/audit/note.h"

#include <string>

#include "core/audit/signed_note.h"
#include "core/base/base64.h"
#include "core/keys/ledger_key.h"
#include "target.h"

namespace {

using namespace visage;
using namespace visage::audit;

// Of tests/vectors/head-1.txt, whose notes are the seeds.
constexpr std::string_view kOrigin = "ledger.example/vectors";

struct Signer {
  crypto::SigningKey signing;
  crypto::VerifyingKey verifying;
};

const Signer& signer() {
  static const Signer instance = [] {
    uint8_t root[keys::kMinRootSize];
    crypto::sha256(as_bytes("envelope root 1"), root);
    keys::KeyRing ring = {};
    Signer made;
    fuzz::require(keys::add_root(fuzz::engine(), ring.envelope, 7, root).ok() &&
                  keys::derive_ledger_key(fuzz::engine(), ring, 7, made.signing).ok() &&
                  crypto::public_key(made.signing, made.verifying).ok());
    return made;
  }();
  return instance;
}

std::string_view characters(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Whatever a head says that was read, it is written again as it was read.
void require_text_of(const Checkpoint& head, std::string_view text) {
  uint8_t out[kMaxNoteSize];
  size_t size = 0;
  fuzz::require(checkpoint_text(head, out, size).ok() && text.starts_with(characters({out, size})));
}

void run_as_note(std::string_view note) {
  Checkpoint head;
  const Status status = parse_note(note, signer().verifying, kOrigin, head);
  if (status.ok()) {
    fuzz::require(head.origin.view() == kOrigin && head.size <= kMaxTreeSize);
    require_text_of(head, note);
    return;
  }
  fuzz::require(status.code == Code::kMalformed || status.code == Code::kKeyMissing ||
                status.code == Code::kAuthenticationFailed);
}

void run_as_text(std::string_view text) {
  uint8_t line[kKeyIdSize + kSignatureSize];
  key_id(kOrigin, signer().verifying, line);
  fuzz::require(crypto::sign(signer().signing, as_bytes(text), line + kKeyIdSize).ok());
  char encoded[base64_size(sizeof line)];
  encode_base64(line, encoded);
  std::string note(text);
  note.append("\n").append(kSignaturePrefix).append(kOrigin).append(" ");
  note.append(encoded, sizeof encoded).append("\n");

  std::string_view opened;
  if (open_signed_note(note, kOrigin, signer().verifying, opened).ok())
    fuzz::require(opened == text && text.ends_with('\n'));
  else
    opened = {};
  Checkpoint said, head;
  const bool is_head = parse_checkpoint(text, said).ok();
  if (is_head) require_text_of(said, text);
  // A note may be refused for a control character past the three lines.
  const bool expected = is_head && !opened.empty() && said.origin.view() == kOrigin;
  fuzz::require(parse_note(note, signer().verifying, kOrigin, head).ok() == expected);
}

}  // namespace

VISAGE_FUZZ_TARGET(note) {
  run_as_note(characters(input));
  run_as_text(characters(input));
}
