// What a caller says of a call's circumstances: the flows' argument `context`. docs/policy.md lists its
// fields.
#pragma once

#include <sys/socket.h>

#include "core/risk/risk.h"
#include "pg/audit_ring.h"
#include "pg/pg.h"

extern "C" {
#include "utils/inet.h"
}

namespace visage::pg {

// Null, or not `has_…`, where the caller did not say. Strings live as long as the caller's memory context.
struct Context {
  const char* business_id;
  const char* address;  // in PostgreSQL's inet form, one spelling for one address
  risk::Address parsed_address;
  const char* device;
  const char* country;  // two capital letters
  const char* place;
  bool has_mac;
  uint64 mac;
  bool has_position;
  risk::Position position;
  struct pg_tz* time_zone;
  bool has_session;
  Uuid session;
  const char* finish_channel;  // where a session is to be finished, for open_session() alone
};

inline constexpr int kMaxPlaceLength = 128;

// Checks and reads; raises invalid_parameter_value and names the field. Fields that it does not know are the
// caller's own.
void read_context(Jsonb* json, Context& out);

// The same of parts that tables hold.
risk::Address parse_address(const inet* address);
uint64 parse_mac(const macaddr* mac);
// Null when there is no such zone. Full names only: an abbreviation means different things in different
// places.
struct pg_tz* find_time_zone(const char* name);

}  // namespace visage::pg
