// Factors of subjects as rows, and what is shown of them in a session. [6.6e]
#pragma once

#include "core/factor/factor.h"
#include "pg/flow.h"
#include "pg/session.h"

namespace visage::pg {

struct FactorPolicy {
  int password_min_length;
  int password_cost;
  int totp_window;
  int64 otp_lifetime;  // microseconds
  bool require_revocation_list;
};

// For use inside SPI.
FactorPolicy load_factor_policy(int32 institution);

// An enrolled factor of a subject; for use inside SPI.
struct FactorRow {
  factor::Place place;
  Bytes wrapped_key;  // these live as long as the SPI connection
  Bytes sealed;
};

// The factor of that kind of the session's subject; false, after as much work, when there is none. For use
// inside SPI.
bool load_factor(const SessionRow& session, factor::Kind kind, FactorRow& out);

// What stands in for a factor where the subject has none of the kind or nobody is registered, so that the
// same work is done. Call it whether or not it will be needed: the first call of a backend then costs the
// same for all. For use inside SPI; not for kinds that are not stored.
FactorRow factor_decoy(factor::Kind kind, const FactorPolicy& policy);

// Is the evidence right? One a kind, in factor_evidence.cpp. `row` is a decoy unless `enrolled`, and of no
// kind that is not stored. `why` tells the event what was wrong.
struct Evidence {
  Flow& flow;
  const SessionRow& session;
  const FactorRow& row;
  bool enrolled;
  const FactorPolicy& policy;
  std::string_view text;
  char why[audit::kMaxNoteLength + 1];
};
enum class Shown { kRight, kWrong, kUsedBefore };
Shown check_password(Evidence& evidence);
Shown check_totp_code(Evidence& evidence);
Shown check_otp_assertion(Evidence& evidence);
Shown check_certificate(Evidence& evidence);

// bcrypt, as pgcrypto makes it. Called past SQL, so that no statement holds what is hashed.
char* bcrypt(const char* prepared, const char* setting);
char* bcrypt_salt(int cost);

}  // namespace visage::pg
