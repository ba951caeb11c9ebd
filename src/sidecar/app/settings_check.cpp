#include "sidecar/app/settings.h"
#include "sidecar/db/conninfo.h"
#include "sidecar/http/endpoint.h"
#include "sidecar/http/rate_limit.h"

namespace visage::sidecar {
namespace {

Status check_tls(const Settings& settings) {
  if (settings.tls_certificate.empty() != settings.tls_key.empty())
    return Status::error(Code::kInvalidArgument, "--tls-certificate and --tls-key go together");
  if (!settings.tls_client_ca.empty() && settings.tls_certificate.empty())
    return Status::error(Code::kInvalidArgument, "--tls-client-ca needs --tls-certificate and --tls-key");
  if (settings.tls_client_optional && (settings.tls_client_ca.empty() || settings.callers_file.empty()))
    return Status::error(Code::kInvalidArgument,
                         "--tls-client-optional needs --tls-client-ca, and --callers-file for the tokens");
  return {};
}

// The interfaces are for callers inside (T/IIFAA 3001.1, 8.2.3 d); what is reached from outside is a
// decision.
Status check_reach(const Settings& settings, const http::Endpoint& api, const http::Endpoint& admin) {
  if (!api.internal && !settings.public_listen)
    return Status::error(Code::kInvalidArgument,
                         "--listen is %s, which is not an address of an internal network: give that of one "
                         "interface, or --public-listen when it must be reached from outside",
                         settings.listen.c_str());
  if (!admin.internal)
    return Status::error(Code::kInvalidArgument,
                         "--admin-listen is %s: /metrics and /ready are told to an internal network only",
                         settings.admin_listen.c_str());
  http::Rate rate;
  if (!settings.caller_rate.empty() && !http::parse_rate(settings.caller_rate, rate))
    return Status::error(Code::kInvalidArgument, "--caller-rate is 20/s or 90/min");
  return {};
}

}  // namespace

Status check_settings(const Settings& settings) {
  http::Endpoint api, admin;
  VISAGE_TRY(http::resolve_endpoint(settings.listen, api));
  VISAGE_TRY(http::resolve_endpoint(settings.admin_listen, admin));
  VISAGE_TRY(check_tls(settings));
  if (settings.tls_certificate.empty() && !api.loopback)
    return Status::error(Code::kInvalidArgument,
                         "plain HTTP is served on the loopback interface only and --listen is %s: give "
                         "--tls-certificate and --tls-key",
                         settings.listen.c_str());
  const bool has_callers = !settings.callers_file.empty() || !settings.tls_client_ca.empty();
  if (!has_callers && !settings.insecure_no_auth)
    return Status::error(Code::kInvalidArgument,
                         "nobody could be told from anybody: give --callers-file or --tls-client-ca "
                         "(--insecure-no-auth on loopback, to try things out)");
  if (settings.insecure_no_auth && !api.loopback)
    return Status::error(Code::kInvalidArgument,
                         "--insecure-no-auth is allowed on the loopback interface only");
  if (settings.insecure_no_auth && has_callers)
    return Status::error(Code::kInvalidArgument,
                         "--insecure-no-auth and --callers-file or --tls-client-ca exclude "
                         "each other");
  VISAGE_TRY(check_reach(settings, api, admin));
  return db::check_conninfo(settings.database);
}

}  // namespace visage::sidecar
