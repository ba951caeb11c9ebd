#include "sidecar/db/health.h"

namespace visage::sidecar::db {

std::string database_fault(Pool& pool) {
  // Asks the catalogues only, so it needs no privilege on the extension and leaves no event.
  constexpr const char* kQuestion =
      "SELECT pg_catalog.pg_is_in_recovery(),"
      " EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_visage'),"
      " COALESCE((SELECT pg_catalog.pg_has_role(current_user, oid, 'USAGE') FROM pg_catalog.pg_roles"
      " WHERE rolname = 'visage_service'), false), current_user";
  Result result;
  if (const Trouble trouble = pool.run(kQuestion, {}, result)) return trouble->message;
  if (PQntuples(result.get()) != 1) return "the database gave an unexpected answer";
  const auto yes = [&](int column) { return PQgetvalue(result.get(), 0, column)[0] == 't'; };
  if (yes(0)) return "the database is a standby and accepts no writes";
  if (!yes(1)) return "the extension is not in this database: CREATE EXTENSION pg_visage CASCADE";
  if (!yes(2))
    return "the database role lacks the flows: GRANT visage_service TO " +
           std::string(PQgetvalue(result.get(), 0, 3));
  return {};
}

}  // namespace visage::sidecar::db
