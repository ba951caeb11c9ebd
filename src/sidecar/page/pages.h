// What people's browsers reach: the capture page's files, and the calls that the page makes. A listener of
// its own, so that the API stays inside. [8.2.3d]
//
// A call shows "Authorization: Capture <link or ticket>" (page/ticket.h). The page learns pass or fail and
// what to do, never a reason that would teach an attacker, never a score. docs/capture-page.md
#pragma once

#include "sidecar/flow/service.h"
#include "sidecar/http/form.h"
#include "sidecar/http/router.h"
#include "sidecar/page/links.h"

namespace visage::sidecar::page {

class Pages {
 public:
  Pages(FlowService& service, const Links& links, size_t max_picture);

  // Answers the exchange; thread-safe.
  void handle(http::Exchange& exchange) const;

 private:
  http::Failure admit(http::Exchange& exchange, Use use, Ticket& ticket) const;
  http::Failure take(http::Exchange& exchange, std::span<const http::PartRule> rules, size_t pictures,
                     WipedBytes& body, http::Form& form) const;
  http::Failure seal_ticket(const Ticket& ticket, std::string& out) const;

  http::Failure open(http::Exchange& exchange) const;  // a link becomes a ticket, once
  http::Failure claim(http::Exchange& exchange, Ticket& ticket) const;
  http::Failure consent(http::Exchange& exchange) const;  // a ticket becomes one that may capture
  http::Failure decline(http::Exchange& exchange) const;  // ends the session
  http::Failure state(http::Exchange& exchange) const;    // for the page that handed over

  // pages_capture.cpp
  http::Failure frame(http::Exchange& exchange) const;         // guidance
  http::Failure frame_key(http::Exchange& exchange) const;     // what to seal frames with, and what to show
  http::Failure picture(http::Exchange& exchange) const;       // the flow's one call, with a picture
  http::Failure sealed_frame(http::Exchange& exchange) const;  // one of several
  http::Failure frames(http::Exchange& exchange) const;        // the flow's one call, with those that came
  http::Failure admit_capture(http::Exchange& exchange, Ticket& ticket) const;
  http::Failure conclude(http::Exchange& exchange, Ticket& ticket, FlowRequest& request) const;

  // pages_factor.cpp
  http::Failure tell(http::Exchange& exchange, Ticket& ticket, const db::Outcome& outcome, bool factor) const;
  http::Failure factor(http::Exchange& exchange) const;  // a factor that the person typed
  http::Failure cancel(http::Exchange& exchange) const;  // the one flow that needs no capture of its own

  FlowService& service_;
  const Links& links_;
  const size_t max_picture_;
  const http::Router router_;
};

}  // namespace visage::sidecar::page
