// Everything an operator can set, with its default. Each is a long option and, under the same name, a key of
// the TOML file given by --config; docs/http-api.md lists them.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "core/base/status.h"
#include "sidecar/adapter/authority.h"

namespace visage::sidecar {

struct Settings {
  // host:port or [v6]:port; port 0 takes a free one and logs it.
  std::string listen = "127.0.0.1:8480";
  std::string admin_listen = "127.0.0.1:8481";
  bool public_listen = false;  // --listen may be an address that is not of an internal network
  std::string page_listen;     // of the capture pages, for people's browsers; empty: none are served
  std::string page_origin;     // what their links begin with; empty: the address of page_listen

  std::string tls_certificate;  // PEM chain
  std::string tls_key;          // PEM
  std::string tls_client_ca;    // PEM; callers may then present a certificate
  bool tls_client_optional = false;
  std::string callers_file;
  bool insecure_no_auth = false;
  std::string caller_rate;  // of each caller that has none in the callers file; empty: no limit

  std::string database = "dbname=postgres";  // libpq connection string or URI
  size_t database_connections = 8;
  unsigned database_timeout_ms = 5000;  // per statement
  std::string console_database;         // as database, of a role that may read the history; empty: no console

  std::string source_key_file;
  std::string models = "models";

  // Services of others that the daemon asks; without a URL it does not. docs/adapters.md
  adapter::AuthoritySettings authority;
  adapter::ServiceSettings otp;

  size_t max_image_bytes = 5 * 1024 * 1024;
  unsigned request_timeout_ms = 10000;  // first byte of a request to last byte of its body
  unsigned idle_timeout_ms = 5000;      // between two requests of a connection
  size_t max_connections = 64;
  size_t pipelines = 0;  // 0: one a core
  size_t waiting = 32;   // requests that may wait for a pipeline
  unsigned wait_timeout_ms = 5000;
  unsigned probe_lifetime_s = 60;

  bool server_timing = false;  // tell callers how long each stage took

  std::string log_level = "info";
  std::string log_format = "json";  // or "text"
};

enum class Start { kRun, kExit };

// Reads the command line and the file it names. kExit with `exit_code` for --help, --version, --check-config
// and for mistakes, which are printed.
Start read_settings(int argc, char** argv, Settings& settings, int& exit_code);

// The rules that make the daemon safe by default: no plain HTTP off the loopback interface, no address that
// strangers reach, no open door, no password on a command line. The message says which setting to change.
Status check_settings(const Settings& settings);

}  // namespace visage::sidecar
