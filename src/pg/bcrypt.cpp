// pgcrypto's bcrypt, called by its address: through SQL what is hashed could reach logs and statistics.
#include "pg/factor.h"
#include "pg/statement.h"

namespace visage::pg {
namespace {

// The extension's own functions, wherever it is installed; nobody can put another in their place.
Statement find_function = {
    "SELECT p.oid FROM pg_catalog.pg_extension e "
    "JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass "
    "AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass "
    "JOIN pg_catalog.pg_proc p ON p.oid = d.objid "
    "WHERE e.extname = 'pgcrypto' AND p.proname = $1::pg_catalog.name "
    "AND pg_catalog.pg_get_function_identity_arguments(p.oid) = $2",
    2,
    {"text", "text"}};

Oid pgcrypto_function(const char* name, const char* arguments) {
  const Datum values[] = {CStringGetTextDatum(name), CStringGetTextDatum(arguments)};
  if (execute(find_function, values, nullptr, true) != 1)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                    errmsg("extension pgcrypto has no function %s(%s)", name, arguments)));
  bool is_null;
  return DatumGetObjectId(column(0, 1, &is_null));
}

}  // namespace

char* bcrypt(const char* prepared, const char* setting) {
  const Oid function = pgcrypto_function("crypt", "text, text");
  return text_to_cstring(DatumGetTextPP(
      OidFunctionCall2(function, CStringGetTextDatum(prepared), CStringGetTextDatum(setting))));
}

char* bcrypt_salt(int cost) {
  const Oid function = pgcrypto_function("gen_salt", "text, integer");
  return text_to_cstring(
      DatumGetTextPP(OidFunctionCall2(function, CStringGetTextDatum("bf"), Int32GetDatum(cost))));
}

}  // namespace visage::pg
