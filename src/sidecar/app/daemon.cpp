#include "sidecar/app/daemon.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <optional>
#include <thread>

#include "sidecar/adapter/authority.h"
#include "sidecar/app/log.h"
#include "sidecar/app/private_file.h"
#include "sidecar/app/process_memory.h"
#include "sidecar/app/service_manager.h"
#include "sidecar/console/console.h"
#include "sidecar/db/session_news.h"
#include "sidecar/http/admin.h"
#include "sidecar/http/api.h"
#include "sidecar/http/server.h"
#include "sidecar/http/tls.h"
#include "sidecar/page/pages.h"

namespace visage::sidecar {
namespace {

constexpr size_t kMaxCallersFile = 1 << 20;
constexpr size_t kAdminConnections = 8;
constexpr size_t kConsoleConnections = 2;  // people read slowly, and the ledger is long
constexpr auto kConsoleTimeout = std::chrono::seconds(30);
constexpr timespec kTidyEvery{5, 0};

Status load_callers(const Settings& settings, std::optional<http::Auth>& out) {
  http::Callers callers;
  http::Rate rate;
  if (!settings.caller_rate.empty()) http::parse_rate(settings.caller_rate, rate);
  if (settings.insecure_no_auth) {
    spdlog::warn("--insecure-no-auth: anyone on this machine may call everything");
    out = http::Auth::open_door(rate);
    return {};
  }
  if (settings.callers_file.empty()) {
    callers.allow_any_certificate();
  } else {
    WipedString text;
    Status why;
    if (read_private_file(settings.callers_file, kMaxCallersFile, text, why) != PrivateFile::kRead)
      return why;
    VISAGE_TRY(callers.parse({text.data(), text.size()}));
  }
  out.emplace(std::move(callers), rate);
  return {};
}

class Daemon {
 public:
  explicit Daemon(const Settings& settings);
  Status prepare();
  void serve();

 private:
  Status prepare_pages();
  std::vector<http::Route> console_routes();
  Status prepare_adapters();
  void register_gauges();
  void load_models();
  void observe(const http::Exchange& exchange, int status);
  http::ServerLimits limits(size_t connections) const;

  const Settings& settings_;
  Metrics metrics_;
  db::Pool pool_;
  db::SessionNews news_;
  std::optional<db::Pool> console_pool_;
  SourceKeyFile source_key_;
  Sealer sealer_;
  Gate gate_;
  FrameDesk frames_;
  PhotoDesk photos_;
  CaptureDesk captures_;
  FlowService service_;
  adapter::Authority authority_;
  adapter::OtpService otp_;
  CodeDesk codes_;
  Readiness readiness_;
  bool memory_locked_ = false;
  capture::Pipeline::Loaded models_;
  page::Links links_;
  std::optional<page::Pages> pages_;
  std::optional<http::Auth> auth_;
  std::optional<console::Console> console_;
  std::optional<http::Api> api_;
  std::optional<http::Router> admin_;
  http::TlsContext tls_, page_tls_;
  std::optional<http::Server> api_server_, admin_server_, page_server_;
};

Daemon::Daemon(const Settings& settings)
    : settings_(settings),
      pool_({settings.database, settings.database_connections,
             std::chrono::milliseconds(settings.database_timeout_ms),
             std::chrono::milliseconds(settings.database_timeout_ms)}),
      news_(settings.database),
      source_key_(settings.source_key_file),
      sealer_(source_key_, std::chrono::seconds(settings.probe_lifetime_s)),
      gate_(settings.pipelines, settings.waiting, std::chrono::milliseconds(settings.wait_timeout_ms)),
      service_({gate_, sealer_, pool_, metrics_, frames_, photos_, captures_}),
      authority_(metrics_),
      otp_(metrics_),
      codes_(service_, otp_),
      readiness_(pool_, source_key_),
      links_(source_key_) {}

http::ServerLimits Daemon::limits(size_t connections) const {
  return {std::chrono::milliseconds(settings_.request_timeout_ms),
          std::chrono::milliseconds(settings_.idle_timeout_ms), connections};
}

void Daemon::observe(const http::Exchange& exchange, int status) {
  metrics_.count("visaged_requests_total",
                 label("route", exchange.route) + "," + label("status", std::to_string(status)));
  metrics_.observe("visaged_request_seconds", label("route", exchange.route), exchange.elapsed_ms() / 1000);
  // Route, not path: a path may hold a subject.
  log_request({exchange.route, status, exchange.code, exchange.caller, exchange.elapsed_ms()});
}

void Daemon::register_gauges() {
  const auto gauge = [this](std::string_view name, std::string_view state, auto value) {
    metrics_.gauge(name, label("state", state), [value] { return static_cast<double>(value()); });
  };
  gauge("visaged_pipelines", "running", [this] { return gate_.running(); });
  gauge("visaged_pipelines", "waiting", [this] { return gate_.waiting(); });
  gauge("visaged_connections", "open", [this] { return api_server_->open_connections(); });
  gauge("visaged_connections", "waiting", [this] { return api_server_->waiting_connections(); });
  gauge("visaged_database_connections", "used", [this] { return pool_.in_use(); });
  gauge("visaged_database_connections", "idle", [this] { return pool_.idle(); });
  gauge("visaged_database_connections", "limit", [this] { return pool_.size(); });
  metrics_.gauge("visaged_id_photos", "", [this] { return static_cast<double>(photos_.size()); });
  metrics_.gauge("visaged_captures", "", [this] { return static_cast<double>(captures_.size()); });
  metrics_.gauge("visaged_ready", "", [this] { return readiness_.report().ready ? 1 : 0; });
  metrics_.gauge("visaged_memory_locked", "", [this] { return memory_locked_ ? 1 : 0; });
  metrics_.gauge("visaged_build_info", label("version", VISAGE_VERSION), [] { return 1; });
  metrics_.gauge("process_resident_memory_bytes", "", [] { return resident_bytes(); });
}

// A listener of its own, which asks for no client certificate: people have none.
Status Daemon::prepare_pages() {
  if (settings_.page_listen.empty()) return {};
  if (!settings_.tls_certificate.empty())
    VISAGE_TRY(http::make_tls_context({settings_.tls_certificate, settings_.tls_key, "", false}, page_tls_));
  pages_.emplace(service_, links_, codes_, settings_.max_image_bytes);
  page_server_.emplace(
      limits(settings_.max_connections), page_tls_.get(), [this](http::Exchange& e) { pages_->handle(e); },
      [this](const http::Exchange& e, int status) { observe(e, status); });
  std::string bound;
  VISAGE_TRY(page_server_->bind(settings_.page_listen, bound));
  const std::string address = std::string(page_tls_ ? "https://" : "http://") + bound;
  links_.set_origin(settings_.page_origin.empty() ? address : settings_.page_origin);
  spdlog::info("pages on {}", address);
  return {};
}

// The flows' role may not read the history, so the console has one of its own.
std::vector<http::Route> Daemon::console_routes() {
  if (settings_.console_database.empty()) return {};
  console_pool_.emplace(db::PoolSettings{settings_.console_database, kConsoleConnections, kConsoleTimeout,
                                         std::chrono::milliseconds(settings_.database_timeout_ms)});
  console_.emplace(*auth_, *console_pool_);
  return console_->routes();
}

Status Daemon::prepare_adapters() {
  if (!settings_.authority.service.url.empty())
    VISAGE_TRY(authority_.prepare(settings_.authority, settings_.max_image_bytes));
  if (!settings_.otp.url.empty()) VISAGE_TRY(otp_.prepare(settings_.otp));
  return {};
}

Status Daemon::prepare() {
  memory_locked_ = lock_memory();
  if (!memory_locked_)
    spdlog::warn("memory is not locked: LimitMEMLOCK=infinity, or encrypt the swap or switch it off");
  VISAGE_TRY(load_callers(settings_, auth_));
  bool missing = false;
  if (const Status status = source_key_.load(missing); !status.ok()) {
    if (!missing) return status;
    spdlog::warn("not ready: {}", status.message);
  }
  if (!settings_.tls_certificate.empty())
    VISAGE_TRY(http::make_tls_context({settings_.tls_certificate, settings_.tls_key, settings_.tls_client_ca,
                                       settings_.tls_client_optional},
                                      tls_));
  VISAGE_TRY(prepare_adapters());
  api_.emplace(*auth_, service_, source_key_,
               http::ApiOptions{settings_.max_image_bytes, settings_.server_timing, &news_, &links_,
                                &authority_, &codes_, console_routes()});
  admin_.emplace(http::make_admin_router(readiness_, metrics_));
  api_server_.emplace(
      limits(settings_.max_connections), tls_.get(), [this](http::Exchange& e) { api_->handle(e); },
      [this](const http::Exchange& e, int status) { observe(e, status); });
  admin_server_.emplace(
      limits(kAdminConnections), nullptr, [this](http::Exchange& e) { admin_->handle(e); },
      [](const http::Exchange&, int) {});
  register_gauges();
  std::string api_bound, admin_bound;
  VISAGE_TRY(api_server_->bind(settings_.listen, api_bound));
  VISAGE_TRY(admin_server_->bind(settings_.admin_listen, admin_bound));
  VISAGE_TRY(prepare_pages());
  spdlog::info("API on {}://{}", tls_ ? "https" : "http", api_bound);
  spdlog::info("admin on http://{}", admin_bound);
  return {};
}

void Daemon::load_models() {
  capture::Settings settings;
  settings.models = settings_.models;
  settings.limits.max_bytes = settings_.max_image_bytes;
  settings.progress = [](const std::string& words) { spdlog::info("{}", words); };
  models_ = capture::Pipeline::load(settings);
  for (const std::string& line : models_.missing) spdlog::error("not ready: {}", line);
  service_.use(models_.pipeline.get());
  if (models_.pipeline) spdlog::info("models ready: {}", models_.pipeline->model_id());
  readiness_.set_models(models_.missing);
}

void Daemon::serve() {
  std::thread api([this] { api_server_->run(); });
  std::thread admin([this] { admin_server_->run(); });
  std::thread pages([this] {
    if (page_server_) page_server_->run();
  });
  load_models();
  tell_service_manager(models_.pipeline ? "READY=1" : "READY=1\nSTATUS=Not ready: models are missing");
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  // What nobody goes on with is wiped in time, also where nobody asks for anything.
  while (sigtimedwait(&stop, nullptr, &kTidyEvery) < 0) captures_.forget_old();
  readiness_.set_draining();
  tell_service_manager("STOPPING=1");
  spdlog::info("draining: {} connections open", api_server_->open_connections());
  api_server_->drain();
  if (page_server_) page_server_->drain();
  api.join();
  pages.join();
  admin_server_->drain();
  admin.join();
  spdlog::info("stopped");
}

}  // namespace

int run_daemon(const Settings& settings) {
  start_log(settings.log_format == "json" ? LogFormat::kJson : LogFormat::kText, settings.log_level);
  // One for each picture in work, and two for what else is done meanwhile.
  bound_heaps(settings.pipelines + 2);
  // Blocked before any thread exists, so that only sigtimedwait() sees them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  Daemon daemon(settings);
  if (const Status status = daemon.prepare(); !status.ok()) {
    spdlog::critical("{}", status.message);
    return 1;
  }
  daemon.serve();
  return 0;
}

}  // namespace visage::sidecar
