// The extension's own rights for a function that is called with its caller's.
//
// For what is called once a row, and for verifications, of which SECURITY DEFINER with SET search_path would
// be a fourteenth. Set here as SECURITY DEFINER sets them, and put back by end(); an error puts them back by
// itself. The search_path is the statements' own affair: statement.h.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

struct OwnerRights {
  Oid caller;
  int security_context;
};

OwnerRights begin_owner_rights();
void end_owner_rights(const OwnerRights& rights);

}  // namespace visage::pg
