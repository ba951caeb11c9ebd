// The handlers of the API: from an exchange to a FlowRequest and back. What a flow does is FlowService's.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "sidecar/flow/service.h"
#include "sidecar/http/auth.h"
#include "sidecar/http/body.h"
#include "sidecar/http/flow_shape.h"
#include "sidecar/http/router.h"
#include "sidecar/page/links.h"

namespace visage::sidecar {
class CodeDesk;
}
namespace visage::sidecar::adapter {
class Authority;
}

namespace visage::sidecar::db {
class SessionNews;
}

namespace visage::sidecar::http {

struct ApiOptions {
  size_t max_picture;                  // bytes
  bool server_timing;                  // tell the caller how long each stage took (W3C Server-Timing)
  db::SessionNews* news;               // for who watches a session
  const page::Links* links = nullptr;  // of capture pages; not enabled where no pages are served
  const adapter::Authority* authority = nullptr;  // not enabled where none is configured
  const CodeDesk* codes = nullptr;                // admits nobody where no service is configured
  std::vector<Route> more{};                      // routes that others answer on the same listener
};

struct SessionState {
  std::string json;  // as it is answered
  std::string state;
  std::chrono::duration<double> left{};  // until its time is over, by the database's clock
};

class Api {
 public:
  Api(const Auth& auth, FlowService& service, SourceKeyFile& source_key, ApiOptions options);

  // Answers the exchange; thread-safe.
  void handle(Exchange& exchange) const { router_.handle(exchange); }

 private:
  using Segments = std::vector<std::string>;

  std::vector<Route> all_routes();
  Route flow_route(std::string_view method, std::string_view path, std::string_view name, db::Flow flow);
  Failure flow(Exchange& exchange, const FlowShape& shape, const Segments& segments) const;
  Failure open_session(Exchange& exchange) const;
  Failure frame_key(Exchange& exchange) const;  // api_frames.cpp
  Failure claim_session(Exchange& exchange, const std::string& session) const;
  Failure quality(Exchange& exchange) const;                                       // api_quality.cpp
  Failure give_consent(Exchange& exchange, const std::string& subject) const;      // api_consent.cpp
  Failure withdraw_consent(Exchange& exchange, const std::string& subject) const;  // api_consent.cpp
  Failure read_session(Exchange& exchange, const std::string& session) const;      // api_events.cpp
  Failure watch_session(Exchange& exchange, const std::string& session) const;     // api_events.cpp
  // The candidates of an identification as well, for whom they are; api_events.cpp
  Failure ask_session(const std::string& session, bool names, SessionState& out) const;
  Failure id_photo(Exchange& exchange) const;  // api_id_photos.cpp
  Failure check_photo_session(const std::string& session, std::string& purpose,
                              std::chrono::seconds& left) const;
  Failure require_document(const std::string& session) const;
  Failure send_code(Exchange& exchange, const std::string& session) const;   // api_codes.cpp
  Failure check_code(Exchange& exchange, const std::string& session) const;  // api_codes.cpp
  Failure take_code_form(Exchange& exchange, const std::string& session, std::span<const PartRule> rules,
                         WipedBytes& body, Form& form) const;
  Failure check_wanted(const page::Wanted& wanted, std::string_view purpose,
                       const std::function<bool(std::string_view)>& may) const;
  Failure check_notice(const page::Wanted& wanted) const;
  // The link of the capture page for the session that was opened.
  Failure make_link(const Exchange& exchange, const Form& form, page::Wanted& wanted,
                    const nlohmann::json& opened, std::string& link) const;
  // A question about what the path names.
  Failure read(Exchange& exchange, db::Question question, const std::string& name) const;

  // Takes the body, or for a method without one the query, and holds it against the rules.
  Failure take_form(Exchange& exchange, std::span<const PartRule> rules, bool needs_picture, WipedBytes& body,
                    Form& out) const;
  Failure admit() const;
  Failure finish(Exchange& exchange, FlowRequest& request, const std::string& biz_id) const;

  const Auth& auth_;
  FlowService& service_;
  SourceKeyFile& source_key_;
  const ApiOptions options_;
  const Router router_;
};

// What does not look like a session's id names none, and need not be asked for.
Failure check_session(const std::string& id);

// The database's answer, and what belongs to the HTTP call. Null, or an empty link: left out.
std::string render_answer(const std::string& json, const Exchange& exchange,
                          const std::string* biz_id = nullptr, const std::string* capture_link = nullptr);

}  // namespace visage::sidecar::http
