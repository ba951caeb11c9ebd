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
  return rights;
}

void end_owner_rights(const OwnerRights& rights) {
  SetUserIdAndSecContext(rights.caller, rights.security_context);
}

}  // namespace visage::pg
