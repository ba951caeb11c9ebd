// The console of operators and auditors: its files, and what they show. On the API's listener, inside; each
// call needs a caller with the right of its route. docs/console.md
#pragma once

#include "sidecar/db/records.h"
#include "sidecar/http/auth.h"
#include "sidecar/http/router.h"

namespace visage::sidecar::console {

class Console {
 public:
  // `pool` connects as a role that may read the history.
  Console(const http::Auth& auth, db::Pool& pool) : auth_(auth), pool_(pool) {}

  std::vector<http::Route> routes() const;

 private:
  http::Failure tell_caller(http::Exchange& exchange) const;
  http::Failure sessions(http::Exchange& exchange) const;
  http::Failure history(http::Exchange& exchange) const;
  http::Failure report(http::Exchange& exchange, const std::string& name) const;
  http::Failure policy(http::Exchange& exchange) const;
  http::Failure show(http::Exchange& exchange, db::Records records,
                     const std::vector<std::string>& arguments) const;

  const http::Auth& auth_;
  db::Pool& pool_;
};

}  // namespace visage::sidecar::console
