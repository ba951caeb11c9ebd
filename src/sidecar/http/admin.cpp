#include "sidecar/http/admin.h"

namespace visage::sidecar::http {

Router make_admin_router(Readiness& readiness, const Metrics& metrics) {
  return Router({
      {"GET", "/live", "live",
       [](auto& exchange, auto&) {
         answer_json(exchange, 200, "{\"live\":true}\n");
         return Failure();
       }},
      {"GET", "/ready", "ready",
       [&readiness](auto& exchange, auto&) {
         const Readiness::Report report = readiness.report();
         answer_json(exchange, report.ready ? 200 : 503, report.json);
         return Failure();
       }},
      {"GET", "/metrics", "metrics",
       [&metrics](auto& exchange, auto&) {
         exchange.response->status = 200;
         exchange.response->set_content(metrics.render(), "text/plain; version=0.0.4");
         return Failure();
       }},
  });
}

}  // namespace visage::sidecar::http
