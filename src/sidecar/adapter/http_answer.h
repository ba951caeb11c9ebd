// The answer of another service to our HTTP request: status line, headers, body (RFC 9112).
//
// We ask with HTTP/1.0, so no answer may be chunked: a body has its length, or ends with the connection.
#pragma once

#include "core/base/bytes.h"

namespace visage::sidecar::adapter {

struct HttpAnswer {
  int status = 0;
  Bytes body;  // inside what was received
};

enum class AnswerState : uint8_t {
  kIncomplete,  // read on
  kComplete,
  kMalformed,
};

// Asked each time that more has been received; `ended` says that no more will come. An answer without a
// length is complete when it ended.
AnswerState look_at_answer(Bytes received, bool ended, HttpAnswer& out);

}  // namespace visage::sidecar::adapter
