// One person, one id: who registers is looked for among those who are.   [6.2c]
#pragma once

#include "core/base/bytes.h"
#include "core/match/duplicate.h"
#include "pg/pg.h"

namespace visage::pg {

struct Flow;

// What visage.duplicate_policy says for a scenario.
struct DuplicateRule {
  match::DuplicateAction action;
  match::DuplicateAction undetermined;
  bool serialised;  // some scenario of the institution looks for duplicates, so all registrations take turns
  double fpir;
  int32 scan_limit;
};

// For use inside SPI.
void load_duplicate_rule(int32 institution, const text* scenario, DuplicateRule& out);

struct DuplicateCheck {
  match::DuplicateFinding finding;
  match::DuplicateRuling ruling;
  Uuid found;  // valid with kDuplicate: the one who looks most alike
  int others;  // further ones above the threshold
  uint64_t compared;
  bool excused;
  Uuid allowance;  // valid when excused
};

// Looks for the flow's person under other names, where policy asks for it. False after refusing as
// SUBJECT_EXISTS, DUPLICATE_PERSON or UNDETERMINED. Registrations of one institution and model follow each
// other from here until their transactions end: otherwise two that run at once would not see each other.
bool check_duplicates(Flow& flow, const text* subject, DuplicateCheck& out);

// After the registration's own record: the finding for its reviewers, and an event about who was found.
void record_finding(Flow& flow, const DuplicateCheck& check);

}  // namespace visage::pg
