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

// Is the evidence right? One a kind, in factor_evidence.cpp; `row` is null when the subject has no such
// factor or nobody is registered, and then the same work is done on a decoy. `why` tells the event what was
// wrong.
struct Evidence {
  Flow& flow;
  const SessionRow& session;
  const FactorRow* row;
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
