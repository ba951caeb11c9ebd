// What people's browsers reach: the capture page's files, and the calls that the page makes. A listener of
// its own, so that the API stays inside. [8.2.3d]
//
// A call shows "Authorization: Capture <link or ticket>" (page/ticket.h). The page learns pass or fail and
// what to do, never a reason that would teach an attacker, never a score. docs/capture-page.md
#pragma once

#include <memory>

#include "sidecar/flow/code_desk.h"
#include "sidecar/http/form.h"
#include "sidecar/http/rate_limit.h"
#include "sidecar/http/router.h"
#include "sidecar/page/links.h"
#include "sidecar/page/turns.h"

namespace visage::sidecar::page {

using http::Exchange;
using http::Failure;
using http::Form;
using http::PartKind;
using http::PartRule;
using http::Problem;
using http::ProblemCode;

class Pages {
 public:
  Pages(FlowService& service, const Links& links, const CodeDesk& codes, size_t max_picture);

  // Answers the exchange; thread-safe.
  void handle(Exchange& exchange) const;

 private:
  Failure admit(Exchange& exchange, Use use, Ticket& ticket) const;
  Failure take(Exchange& exchange, std::span<const PartRule> rules, size_t pictures, WipedBytes& body,
               Form& form) const;
  Failure seal_ticket(const Ticket& ticket, std::string& out) const;

  Failure open(Exchange& exchange) const;  // a link becomes a ticket, once
  Failure claim(Exchange& exchange, Ticket& ticket) const;
  // Whom the ID photo is of that a page compares with; empty where it compares with none. MISSING_PART when
  // the photo is not there (yet, or any more).
  Failure find_photographed(const Ticket& ticket, std::string& subject) const;
  Failure check_notice(const Ticket& ticket, const std::string& digest) const;
  Failure consent(Exchange& exchange) const;  // a ticket becomes one that may capture
  Failure decline(Exchange& exchange) const;  // ends the session
  Failure state(Exchange& exchange) const;    // for the page that handed over

  // pages_capture.cpp
  Failure frame(Exchange& exchange) const;         // guidance
  Failure frame_key(Exchange& exchange) const;     // what to seal frames with, and what to show
  Failure picture(Exchange& exchange) const;       // the flow's one call, with a picture
  Failure sealed_frame(Exchange& exchange) const;  // one of several
  Failure frames(Exchange& exchange) const;        // the flow's one call, with those that came
  Failure admit_capture(Exchange& exchange, Ticket& ticket) const;
  // And its turn, which is to be held until the picture was looked at.
  Failure admit_picture(Exchange& exchange, Ticket& ticket, Turns::Turn& turn) const;
  Failure conclude(Exchange& exchange, Ticket& ticket, FlowRequest& request) const;

  // pages_factor.cpp
  Failure tell(Exchange& exchange, Ticket& ticket, const db::Outcome& outcome, bool factor) const;
  Failure code(Exchange& exchange) const;    // sends one that the person then types
  Failure factor(Exchange& exchange) const;  // a factor that the person typed
  Failure cancel(Exchange& exchange) const;  // the one flow that needs no capture of its own

  FlowService& service_;
  const Links& links_;
  const CodeDesk& codes_;
  const std::unique_ptr<http::RateLimiter> sendings_ = std::make_unique<http::RateLimiter>();
  const std::unique_ptr<http::RateLimiter> calls_ = std::make_unique<http::RateLimiter>();
  const std::unique_ptr<Turns> turns_ = std::make_unique<Turns>();
  const size_t max_picture_;
  const http::Router router_;
};

}  // namespace visage::sidecar::page
