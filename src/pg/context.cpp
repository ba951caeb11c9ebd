#include "pg/context.h"

#include "core/audit/event.h"
#include "pg/boundary.h"

extern "C" {
#include "pgtime.h"
#include "utils/float.h"
#include "utils/numeric.h"
}

namespace visage::pg {
namespace {

constexpr int kMaxContextSize = 16384;
constexpr int kMaxMacLength = 32;
constexpr int kMaxTimeZoneLength = 63;
constexpr int kMaxSessionLength = 38;  // with braces

const JsonbValue* find_field(Jsonb* json, const char* name) {
  JsonbValue key = {};
  key.type = jbvString;
  key.val.string.val = const_cast<char*>(name);
  key.val.string.len = static_cast<int>(strlen(name));
  const JsonbValue* value = findJsonbValueFromContainer(&json->root, JB_FOBJECT, &key);
  return value == nullptr || value->type == jbvNull ? nullptr : value;
}

// A string of the context, or null.
const char* find_string(Jsonb* json, const char* name, int max_length) {
  const JsonbValue* value = find_field(json, name);
  if (value == nullptr) return nullptr;
  if (value->type != jbvString || value->val.string.len > max_length)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context \"%s\" must be a string of at most %d bytes", name, max_length)));
  return pnstrdup(value->val.string.val, static_cast<Size>(value->val.string.len));
}

bool find_degrees(Jsonb* json, const char* name, int limit, double& out) {
  const JsonbValue* value = find_field(json, name);
  if (value == nullptr) return false;
  const auto at_most = [](Datum a, Datum b) { return DatumGetBool(DirectFunctionCall2(numeric_le, a, b)); };
  const auto whole = [](int64 number) { return NumericGetDatum(int64_to_numeric(number)); };
  const Datum degrees = value->type == jbvNumeric ? NumericGetDatum(value->val.numeric) : 0;
  // Compared as numeric: one that is out of double's range must not be quoted in full.
  if (degrees == 0 || !at_most(whole(-limit), degrees) || !at_most(degrees, whole(limit)))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context \"%s\" must be a number from %d to %d", name, -limit, limit)));
  out = DatumGetFloat8(DirectFunctionCall1(numeric_float8, degrees));
  return true;
}

void read_address(Jsonb* json, Context& out) {
  const char* text = find_string(json, "address", kMaxAddressLength);
  if (text == nullptr) return;
  const Datum parsed = DirectFunctionCall1(inet_in, CStringGetDatum(text));
  const inet* address = DatumGetInetPP(parsed);
  if (ip_bits(address) != ip_maxbits(address))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context \"address\" must be one address, not a network"),
                    errhint("Leave the part behind the slash out.")));
  out.parsed_address = parse_address(address);
  // Counters and hashes are by spelling, so one address has one; a mapped one is that which it maps.
  if (out.parsed_address.family == 4) {
    const auto ip = static_cast<unsigned>(out.parsed_address.low);
    out.address = psprintf("%u.%u.%u.%u", ip >> 24, ip >> 16 & 0xFF, ip >> 8 & 0xFF, ip & 0xFF);
  } else {
    out.address = DatumGetCString(DirectFunctionCall1(inet_out, parsed));
  }
}

void read_country(Jsonb* json, Context& out) {
  const JsonbValue* value = find_field(json, "country");
  if (value == nullptr) return;
  char* country = static_cast<char*>(palloc0(3));
  bool valid = value->type == jbvString && value->val.string.len == 2;
  for (int i = 0; valid && i < 2; ++i) {
    country[i] = static_cast<char>(pg_ascii_toupper(static_cast<unsigned char>(value->val.string.val[i])));
    valid = country[i] >= 'A' && country[i] <= 'Z';
  }
  if (!valid)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
             errmsg("context \"country\" must be two letters of ISO 3166-1"), errhint("For example CN.")));
  out.country = country;
}

void read_time_zone(Jsonb* json, Context& out) {
  const char* text = find_string(json, "time_zone", kMaxTimeZoneLength);
  if (text == nullptr) return;
  out.time_zone = find_time_zone(text);
  if (out.time_zone == nullptr)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context \"time_zone\" is not a time zone that the server knows"),
                    errhint("SELECT name FROM pg_timezone_names lists them; for example Asia/Shanghai.")));
}

}  // namespace

risk::Address parse_address(const inet* address) {
  return risk::make_address({ip_addr(address), static_cast<size_t>(ip_addrsize(address))});
}

uint64 parse_mac(const macaddr* mac) {
  uint64 value = 0;
  for (const unsigned char byte : {mac->a, mac->b, mac->c, mac->d, mac->e, mac->f}) value = value << 8 | byte;
  return value;
}

struct pg_tz* find_time_zone(const char* name) {
  pg_tz* zone = pg_tzset(name);
  // Leap seconds would shift every timestamp; and a POSIX rule such as "Foo" passes for a zone.
  if (zone == nullptr || !pg_tz_acceptable(zone)) return nullptr;
  return strchr(name, '/') != nullptr || strcmp(name, "UTC") == 0 ? zone : nullptr;
}

void read_context(Jsonb* json, Context& out) {
  memset(static_cast<void*>(&out), 0, sizeof out);
  if (VARSIZE(json) > kMaxContextSize)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context is longer than %d bytes", kMaxContextSize)));
  if (!JB_ROOT_IS_OBJECT(json))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("context must be a JSON object"),
                    errhint("For example: {\"biz_id\": \"order-4711\"}")));
  if (JB_ROOT_COUNT(json) == 0) return;
  out.business_id = find_string(json, "biz_id", audit::kMaxBusinessIdLength);
  out.device = find_string(json, "device", kMaxDeviceLength);
  read_address(json, out);
  read_country(json, out);
  out.place = find_string(json, "place", kMaxPlaceLength);
  if (const char* mac = find_string(json, "mac", kMaxMacLength); mac != nullptr) {
    out.mac = parse_mac(DatumGetMacaddrP(DirectFunctionCall1(macaddr_in, CStringGetDatum(mac))));
    out.has_mac = true;
  }
  out.has_position = find_degrees(json, "latitude", 90, out.position.latitude);
  if (find_degrees(json, "longitude", 180, out.position.longitude) != out.has_position)
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("context needs \"latitude\" and \"longitude\" together")));
  read_time_zone(json, out);
  if (const char* session = find_string(json, "session", kMaxSessionLength); session != nullptr) {
    memcpy(out.session.bytes, DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(session)))->data,
           sizeof out.session.bytes);
    out.has_session = true;
  }
  out.finish_channel = find_string(json, "finish_channel", audit::kMaxNameLength);
}

VISAGE_FUNCTION(visage_is_time_zone) {
  PG_RETURN_BOOL(find_time_zone(text_to_cstring(PG_GETARG_TEXT_PP(0))) != nullptr);
}

}  // namespace visage::pg
