// The extension's own rights for a few statements of a function that runs with its caller's.
//
// For functions called once a row, where SECURITY DEFINER with SET search_path would cost more than the work.
// Both are set here as that would set them, and put back by end(); an error puts them back by itself.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

struct OwnerRights {
  Oid caller;
  int security_context;
  int settings_level;
};

OwnerRights begin_owner_rights();
void end_owner_rights(const OwnerRights& rights);

}  // namespace visage::pg
