#include "sidecar/app/settings.h"
#include "sidecar/db/conninfo.h"
#include "sidecar/http/endpoint.h"

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
  return db::check_conninfo(settings.database);
}

}  // namespace visage::sidecar
