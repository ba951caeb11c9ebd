#include "pg/known_relation.h"

extern "C" {
#include "utils/inval.h"
}

namespace visage::pg {

KnownRelation* KnownRelation::first_ = nullptr;

// One callback for all: a backend has room for ten, PostgreSQL's own included.
void KnownRelation::at_change(Datum, Oid relation) {
  for (KnownRelation* known = first_; known != nullptr; known = known->next_)
    if (!OidIsValid(relation) || relation == known->oid_) known->oid_ = InvalidOid;
}

Oid KnownRelation::oid() {
  if (!listed_) {
    if (first_ == nullptr) CacheRegisterRelcacheCallback(at_change, 0);
    next_ = first_;
    first_ = this;
    listed_ = true;
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
