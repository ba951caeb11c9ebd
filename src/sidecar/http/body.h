// Takes a request body off the wire, after everything that can be refused without it was refused.
#pragma once

#include <span>

#include "sidecar/http/exchange.h"
#include "sidecar/http/form.h"

namespace visage::sidecar::http {

struct BodyPlan {
  BodyType type = BodyType::kJson;
  std::string boundary;
};

// Looks at the headers only: content type, encoding, length. `pictures` is how many pictures the route takes.
Failure plan_body(const Exchange& exchange, size_t max_picture, size_t pictures, BodyPlan& plan);
// Reads the planned body. REQUEST_TIMEOUT when it does not arrive in time.
Failure take_body(Exchange& exchange, WipedBytes& body);

}  // namespace visage::sidecar::http
