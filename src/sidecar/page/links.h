// The link that a caller of the API gets for a session, when it asks for a capture page.
#pragma once

#include "sidecar/http/problem.h"
#include "sidecar/page/ticket.h"

namespace visage::sidecar::page {

// Part "capture_page" of POST /v1/sessions.
struct Wanted {
  std::string notice;                 // to be agreed to on the page; empty: none
  std::vector<std::string> purposes;  // of the notice; none named: the scenario
  std::vector<std::string> factors;   // kinds that the page asks for, in order
  std::string max_candidates = "1";   // of an identification
};

// INVALID_VALUE for a member that is not known, and for a flow that a page cannot drive.
http::Failure read_wanted(std::string_view json, std::string_view purpose, Wanted& out);

class Links {
 public:
  explicit Links(SourceKeyFile& key) : tickets_(key) {}

  // "https://face.bank.example": what people's browsers reach the page listener by. Before anything is
  // served.
  void set_origin(std::string origin) { origin_ = std::move(origin); }
  bool enabled() const { return !origin_.empty(); }
  const TicketSealer& tickets() const { return tickets_; }

  // The secret stands in the fragment, which browsers send to nobody: no log of a proxy has it, no Referer.
  Status make(const Ticket& ticket, std::string& url) const;

 private:
  TicketSealer tickets_;
  std::string origin_;
};

}  // namespace visage::sidecar::page
