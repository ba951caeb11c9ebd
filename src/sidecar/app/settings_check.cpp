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

// Scheme and authority alone: a link is made of it and a path.
bool is_origin(std::string_view text) {
  const bool https = text.starts_with("https://");
  if (!https && !text.starts_with("http://")) return false;
  text.remove_prefix(https ? 8 : 7);
  return !text.empty() && text.find_first_of("/?#@ \t") == text.npos;
}

// Who may read everybody's history is said by name, never by "any certificate" or "anyone".
Status check_console(const Settings& settings) {
  if (settings.console_database.empty()) return {};
  if (settings.callers_file.empty())
    return Status::error(Code::kInvalidArgument,
                         "--console-database needs --callers-file, which says who may read what");
  return db::check_conninfo(settings.console_database);
}

Status check_pages(const Settings& settings) {
  if (settings.page_listen.empty()) {
    if (settings.page_origin.empty()) return {};
    return Status::error(Code::kInvalidArgument, "--page-origin needs --page-listen");
  }
  http::Endpoint pages;
  VISAGE_TRY(http::resolve_endpoint(settings.page_listen, pages));
  // Browsers give a camera to https alone, and to localhost.
  if (settings.tls_certificate.empty() && !pages.loopback)
    return Status::error(Code::kInvalidArgument,
                         "plain HTTP is served on the loopback interface only and --page-listen is %s: give "
                         "--tls-certificate and --tls-key",
                         settings.page_listen.c_str());
  if (!settings.page_origin.empty() && !is_origin(settings.page_origin))
    return Status::error(Code::kInvalidArgument,
                         "--page-origin is https://host[:port] and nothing behind it");
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

Status check_service(const char* name, const adapter::ServiceSettings& service) {
  const bool any = !service.ca.empty() || !service.certificate.empty() || !service.key.empty();
  if (service.url.empty() && !any) return {};
  adapter::Url url;
  const Status status = adapter::parse_url(service.url, url);
  if (!status.ok()) return Status::error(Code::kInvalidArgument, "--%s-url: %s", name, status.message);
  // Both sides are authenticated before anything about a person is sent. [8.2.3a]
  if (service.ca.empty() || service.certificate.empty() || service.key.empty())
    return Status::error(Code::kInvalidArgument, "--%s-url needs --%s-ca, --%s-certificate and --%s-key",
                         name, name, name, name);
  return {};
}

Status check_adapters(const Settings& settings) {
  VISAGE_TRY(check_service("authority", settings.authority.service));
  VISAGE_TRY(check_service("otp", settings.otp));
  const bool named = !settings.authority.name.empty() && !settings.authority.public_key_file.empty();
  if (settings.authority.service.url.empty() || named) return {};
  return Status::error(Code::kInvalidArgument,
                       "--authority-url needs --authority-name and --authority-public-key");
}

}  // namespace

Status check_settings(const Settings& settings) {
  http::Endpoint api, admin;
  VISAGE_TRY(http::resolve_endpoint(settings.listen, api));
  VISAGE_TRY(http::resolve_endpoint(settings.admin_listen, admin));
  VISAGE_TRY(check_tls(settings));
  VISAGE_TRY(check_pages(settings));
  VISAGE_TRY(check_adapters(settings));
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
  VISAGE_TRY(check_console(settings));
  return db::check_conninfo(settings.database);
}

}  // namespace visage::sidecar
