#include "core/keys/ledger_key.h"

#include "core/base/secret.h"
#include "core/keys/subject_key.h"

namespace visage::keys {
namespace {

constexpr std::string_view kLedgerLabel = "visage/ledger-key/1";

Status hash_with(crypto::Engine& engine, const Root& root, HashedKind kind, uint32_t institution, Bytes value,
                 uint8_t out[kKeyedHashSize]) {
  uint8_t prefix[1 + 4];
  Writer writer(prefix);
  writer.number(kind);
  writer.number(institution);
  const Bytes parts[] = {prefix, value};
  uint8_t digest[crypto::kDigestSize];
  VISAGE_TRY(engine.hmac(crypto::Suite::kAes256Gcm, root.hash_key, parts, digest));
  std::memcpy(out, digest, kKeyedHashSize);
  return {};
}

}  // namespace

Status derive_ledger_key(crypto::Engine& engine, const KeyRing& ring, uint32_t version,
                         crypto::SigningKey& out) {
  const Root* root;
  VISAGE_TRY(find_root(ring.envelope, version, "envelope", root));
  return engine.hkdf(crypto::Suite::kAes256Gcm, root->view(), {}, {}, as_bytes(kLedgerLabel), out.seed);
}

Status keyed_hash(crypto::Engine& engine, const KeyRing& ring, HashedKind kind, uint32_t institution,
                  Bytes value, uint8_t out[kKeyedHashSize]) {
  if (ring.envelope.count == 0) return Status::error(Code::kKeyMissing, "no envelope key is loaded");
  return hash_with(engine, ring.envelope.roots[0], kind, institution, value, out);
}

Status keyed_hash_under(crypto::Engine& engine, const KeyRing& ring, uint32_t version, HashedKind kind,
                        uint32_t institution, Bytes value, uint8_t out[kKeyedHashSize]) {
  const Root* root;
  VISAGE_TRY(find_root(ring.envelope, version, "envelope", root));
  return hash_with(engine, *root, kind, institution, value, out);
}

}  // namespace visage::keys
