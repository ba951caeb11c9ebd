#include "pg/owner_rights.h"

#include "pg/boundary.h"

namespace visage::pg {
namespace {

Oid extension_owner() {
  const HeapTuple schema = SearchSysCache1(NAMESPACENAME, CStringGetDatum("visage"));
  if (!HeapTupleIsValid(schema)) elog(ERROR, "schema visage does not exist");
  const Oid owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(schema))->nspowner;
  ReleaseSysCache(schema);
  return owner;
}

}  // namespace

OwnerRights begin_owner_rights() {
  OwnerRights rights;
  const Oid owner = extension_owner();
  GetUserIdAndSecContext(&rights.caller, &rights.security_context);
  SetUserIdAndSecContext(owner, rights.security_context | SECURITY_LOCAL_USERID_CHANGE);
  rights.settings_level = NewGUCNestLevel();
  // pg_temp last and named: unnamed, it would come first. Operators would otherwise resolve in the caller's
  // schemas.
  (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                          true, 0, false);
  return rights;
}

void end_owner_rights(const OwnerRights& rights) {
  AtEOXact_GUC(true, rights.settings_level);
  SetUserIdAndSecContext(rights.caller, rights.security_context);
}

}  // namespace visage::pg
