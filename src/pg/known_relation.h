// Tables and indexes that are read without a statement, by name, as long as the name means the same.
#pragma once

#include "pg/pg.h"

namespace visage::pg {

// Oids that a backend keeps until the relation changes: a lookup by name takes about as long as the row's.
// Ask for an index only while its table is locked, as REINDEX CONCURRENTLY gives it another oid.
class KnownRelation {
 public:
  // `name` in schema visage; a literal.
  explicit constexpr KnownRelation(const char* name) : name_(name) {}
  // Raises when there is none.
  Oid oid();

 private:
  static void at_change(Datum argument, Oid relation);

  static KnownRelation* first_;
  const char* name_;
  Oid oid_ = InvalidOid;
  KnownRelation* next_ = nullptr;  // of those that a change is told to
  bool listed_ = false;
};

}  // namespace visage::pg
