// What a capture page is trusted with: a link, and after it was opened a ticket, both sealed by this daemon.
//
// Nothing of it is stored here, so a restart forgets no page: the key comes from the capture source key, and
// what must be counted once (that a link was opened, that a session was used) is the database's. A page can
// neither read nor change what it carries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sidecar/app/wiped.h"
#include "sidecar/flow/source_key.h"

namespace visage::sidecar::page {

// A link opens a page; a ticket is what the opened page shows with every call after that.
enum class Use : uint8_t { kLink = 1, kTicket = 2 };

struct Ticket {
  std::string session;
  std::string subject;
  std::string purpose;
  std::string scenario;
  std::string channel;  // where the session is to be finished
  std::string caller;   // who asked for the page, for the log and the ledger
  std::string context;  // what that caller said, for the flow's call
  std::string notice;   // to be agreed to before a capture; empty: none
  std::vector<std::string> purposes;
  std::string nonce;                 // in hexadecimal; empty where a claim will tell it
  bool crosses = false;              // another device is to finish it: this page only shows the way
  bool must_claim = false;           // this page is the other device's
  bool agreed = false;               // to the notice
  int64_t valid_until = 0;           // seconds since 1970; 0: asked of the database
  std::vector<std::string> factors;  // kinds that the page still has to ask for, in order
  std::string max_candidates = "1";  // of an identification
  bool document_required = false;    // an ID photo was sent, which the capture is to be compared with

  bool operator==(const Ticket&) const = default;
};

class TicketSealer {
 public:
  explicit TicketSealer(SourceKeyFile& key) : key_(key) {}

  // Text of unreserved URL characters only. Thread-safe.
  Status seal(const Ticket& ticket, Use use, std::string& out) const;
  // kAuthenticationFailed for anything that this daemon's key did not seal for this use.
  Status open(std::string_view text, Use use, Ticket& out) const;

 private:
  SourceKeyFile& key_;
};

}  // namespace visage::sidecar::page
