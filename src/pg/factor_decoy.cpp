// Factors of nobody: made once a backend, under the same roots as real ones.
#include "core/factor/totp.h"
#include "pg/boundary.h"
#include "pg/factor.h"
#include "pg/keys.h"
#include "pg/settings.h"

namespace visage::pg {
namespace {

struct Decoy {
  bool made;
  int password_cost;
  factor::Place place;
  uint8_t wrapped_key[keys::kMaxWrappedSize];
  size_t wrapped_size;
  uint8_t sealed[factor::kMaxSealedSize];
  size_t sealed_size;
};

constexpr int kStoredKinds = 3;
Decoy decoys[kStoredKinds];  // by kind, whose numbers begin at 1

// What would be sealed of a factor that nobody can show.
Status make_contents(factor::Kind kind, const char* salt, MutableBytes out, size_t& size) {
  switch (kind) {
    case factor::Kind::kPassword:
      // bcrypt reads the salt in front; nothing that it makes is equal to the rest.
      size = 60;
      memset(out.data(), '!', size);
      memcpy(out.data(), salt, strlen(salt));
      return {};
    case factor::Kind::kTotp: {
      Secret<factor::Totp> totp;
      totp.value = {factor::TotpAlgorithm::kSha1, 6, 30, 20, {}};
      VISAGE_TRY(engine().random({totp.value.secret, totp.value.secret_size}));
      return factor::encode_totp(totp.value, out, size);
    }
    default:
      size = 32;
      return engine().random(out.first(size));
  }
}

Status make_decoy(factor::Kind kind, const char* salt, Decoy& out) {
  const crypto::Suite suite = settings::suite();
  out.place.kind = kind;
  out.place.owner.institution = 1;
  VISAGE_TRY(engine().random_uuid(out.place.owner.subject));
  VISAGE_TRY(engine().random_uuid(out.place.factor));
  out.wrapped_size = keys::wrapped_size(suite);
  const MutableBytes wrapped = {out.wrapped_key, out.wrapped_size};
  VISAGE_TRY(keys::new_subject_key(engine(), key_ring(), suite, out.place.owner, wrapped));
  Secret<keys::SubjectKey> key;
  VISAGE_TRY(keys::unwrap_subject_key(engine(), key_ring(), out.place.owner, wrapped, key.value));
  Secret<KeyBytes<factor::kMaxContents>> contents;
  size_t size = 0;
  VISAGE_TRY(make_contents(kind, salt, contents.value.span(), size));
  out.sealed_size = factor::sealed_size(suite, size);
  uint32_t key_version = 0;
  return factor::seal(engine(), key_ring(), suite, key.value, out.place, {contents.value.bytes, size},
                      {out.sealed, out.sealed_size}, key_version);
}

}  // namespace

FactorRow factor_decoy(factor::Kind kind, const FactorPolicy& policy) {
  Decoy& decoy = decoys[static_cast<int>(kind) - 1];
  if (!decoy.made || decoy.password_cost != policy.password_cost) {
    decoy.made = false;
    const char* const salt = kind == factor::Kind::kPassword ? bcrypt_salt(policy.password_cost) : "";
    raise_unless_ok(guarded([&] { return make_decoy(kind, salt, decoy); }), "cannot prepare the check");
    decoy.password_cost = policy.password_cost;
    decoy.made = true;
  }
  return {decoy.place, {decoy.wrapped_key, decoy.wrapped_size}, {decoy.sealed, decoy.sealed_size}};
}

}  // namespace visage::pg
