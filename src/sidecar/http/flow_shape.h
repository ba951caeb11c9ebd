// How each flow is asked for over HTTP: the parts of its request, and what the segments of its path are.
#pragma once

#include <array>

#include "sidecar/flow/service.h"
#include "sidecar/http/exchange.h"
#include "sidecar/http/form.h"

namespace visage::sidecar::http {

struct FlowShape {
  db::Flow flow;
  std::span<const PartRule> parts;
  std::span<const std::string_view> path;  // names of what {} takes, in order
};

const FlowShape& shape_of(db::Flow flow);

// The session's nonce, decoded; the request points to it.
using Nonce = std::array<uint8_t, probe::kSessionNonceSize>;

// Fills the request from parts that keep their rules. What only several parts together can get wrong is
// refused here: a picture in a session without the session's nonce, a factor without what shows it.
Failure read_request(const Exchange& exchange, const FlowShape& shape,
                     const std::vector<std::string>& segments, const Form& form, Nonce& nonce,
                     FlowRequest& out);

// The context as the database gets it: the caller's own words, then ours, which the caller cannot set.
std::string build_context(const Exchange& exchange, const Form& form);

}  // namespace visage::sidecar::http
