// GET /v1/frame-key: what a page seals its frames for. docs/liveness.md "sealed frame".
#include <nlohmann/json.hpp>

#include "sidecar/http/api.h"

namespace visage::sidecar::http {

Failure Api::frame_key(Exchange& exchange) const {
  VISAGE_HTTP_TRY(auth_.check(exchange));
  liveness::PublicPoint point;
  VISAGE_HTTP_TRY(service_.frame_point(point));
  std::string hex;
  for (const uint8_t byte : point) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  answer_json(exchange, 200, nlohmann::ordered_json{{"key", hex}, {"request_id", exchange.id}}.dump());
  return {};
}

}  // namespace visage::sidecar::http
