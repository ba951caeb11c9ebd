#include "pg/known_relation.h"

extern "C" {
#include "utils/inval.h"
}

namespace visage::pg {

void KnownRelation::at_change(Datum argument, Oid relation) {
  auto* known = reinterpret_cast<KnownRelation*>(DatumGetPointer(argument));
  if (!OidIsValid(relation) || relation == known->oid_) known->oid_ = InvalidOid;
}

Oid KnownRelation::oid() {
  if (!registered_) {
    CacheRegisterRelcacheCallback(at_change, PointerGetDatum(this));
    registered_ = true;
  }
  if (OidIsValid(oid_)) return oid_;
  const Oid found = get_relname_relid(name_, get_namespace_oid("visage", false));
  if (!OidIsValid(found))
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation \"visage.%s\" does not exist", name_),
                    errhint("Run ALTER EXTENSION pg_visage UPDATE.")));
  oid_ = found;
  return found;
}

}  // namespace visage::pg
