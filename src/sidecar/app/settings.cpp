#include "sidecar/app/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <thread>

namespace visage::sidecar {
namespace {

void describe(CLI::App& app, Settings& s) {
  const CLI::Range milliseconds(1, 600000);
  app.add_option("--listen", s.listen, "address of the API")->capture_default_str();
  app.add_option("--admin-listen", s.admin_listen, "address of /live, /ready and /metrics")
      ->capture_default_str();
  app.add_flag("--public-listen", s.public_listen,
               "--listen may be reached from outside the internal network");
  app.add_option("--page-listen", s.page_listen, "address of the capture pages; without one there are none");
  app.add_option("--page-origin", s.page_origin,
                 "https://host[:port] that browsers reach the capture pages by");
  app.add_option("--tls-certificate", s.tls_certificate, "server certificate chain (PEM)");
  app.add_option("--tls-key", s.tls_key, "server key (PEM, mode 0600)");
  app.add_option("--tls-client-ca", s.tls_client_ca, "authority of client certificates (PEM)");
  app.add_flag("--tls-client-optional", s.tls_client_optional,
               "a bearer token may stand in for a certificate");
  app.add_option("--callers-file", s.callers_file, "who may call what (mode 0600)");
  app.add_flag("--insecure-no-auth", s.insecure_no_auth, "accept anyone; loopback only, never in production");
  app.add_option("--caller-rate", s.caller_rate,
                 "calls of each caller that has no rate in the callers file: 20/s, 90/min; none: no limit");
  app.add_option("--database", s.database, "libpq connection string or URI, without a password")
      ->capture_default_str();
  app.add_option("--database-connections", s.database_connections)
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--database-timeout-ms", s.database_timeout_ms)->check(milliseconds)->capture_default_str();
  app.add_option("--console-database", s.console_database,
                 "as --database, of a role that may read the history; without one there is no console");
  app.add_option("--source-key-file", s.source_key_file,
                 "what visage.add_capture_source printed (mode 0600)");
  app.add_option("--models", s.models, "directory of the models")->capture_default_str();
  app.add_option("--max-image-bytes", s.max_image_bytes)
      ->check(CLI::Range(1024, 64 << 20))
      ->capture_default_str();
  app.add_option("--request-timeout-ms", s.request_timeout_ms)->check(milliseconds)->capture_default_str();
  app.add_option("--idle-timeout-ms", s.idle_timeout_ms)->check(milliseconds)->capture_default_str();
  app.add_option("--max-connections", s.max_connections)->check(CLI::Range(1, 900))->capture_default_str();
  app.add_option("--pipelines", s.pipelines, "pictures processed at a time; 0: one a core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("--waiting", s.waiting, "requests that may wait for a pipeline")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  app.add_option("--wait-timeout-ms", s.wait_timeout_ms)->check(milliseconds)->capture_default_str();
  app.add_option("--probe-lifetime-s", s.probe_lifetime_s)->check(CLI::Range(1, 600))->capture_default_str();
  app.add_flag("--server-timing", s.server_timing, "answer with a Server-Timing header");
  app.add_option("--log-level", s.log_level)
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log-format", s.log_format, "a JSON object a line, or text for people")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
}

void describe(CLI::App& app, const std::string& name, const std::string& what, adapter::ServiceSettings& s) {
  app.add_option("--" + name + "-url", s.url, "https://host[:port]/path of " + what);
  app.add_option("--" + name + "-ca", s.ca, "authority of its certificate (PEM)");
  app.add_option("--" + name + "-certificate", s.certificate, "our client certificate for it (PEM)");
  app.add_option("--" + name + "-key", s.key, "key of that certificate (PEM, mode 0600)");
  app.add_option("--" + name + "-timeout-ms", s.timeout_ms, "for the whole exchange")
      ->check(CLI::Range(1, 60000))
      ->capture_default_str();
}

void describe_adapters(CLI::App& app, Settings& s) {
  describe(app, "authority", "the authority's ID service", s.authority.service);
  app.add_option("--authority-name", s.authority.name, "its name in visage.authority");
  app.add_option("--authority-public-key", s.authority.public_key_file,
                 "what its answers are signed with (PEM)");
  app.add_option("--authority-max-age-s", s.authority.max_age_s, "how old its answer may be, by our clock")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  describe(app, "otp", "the service that sends and checks one-time codes", s.otp);
}

}  // namespace

Start read_settings(int argc, char** argv, Settings& settings, int& exit_code) {
  CLI::App app("visaged turns pictures into sealed probes and asks PostgreSQL for the verdict.", "visaged");
  app.footer("visaged quality FILE... measures pictures on disk; visaged quality --help.");
  bool only_check = false;
  app.set_config("--config", "", "TOML file; its keys are the long options below");
  app.allow_config_extras(CLI::config_extras_mode::error);  // a misspelt setting must not be a silent default
  app.set_version_flag("--version", "visaged " VISAGE_VERSION);
  app.add_flag("--check-config", only_check, "check the settings and leave")->configurable(false);
  describe(app, settings);
  describe_adapters(app, settings);
  exit_code = 0;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
    return Start::kExit;
  }
  if (settings.pipelines == 0) settings.pipelines = std::max(1U, std::thread::hardware_concurrency());
  if (const Status status = check_settings(settings); !status.ok()) {
    std::fprintf(stderr, "visaged: %s\n", status.message);
    exit_code = 2;
    return Start::kExit;
  }
  return only_check ? Start::kExit : Start::kRun;
}

}  // namespace visage::sidecar
