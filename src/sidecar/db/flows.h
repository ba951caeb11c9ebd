// The SQL of the flows: one function call each, in its own transaction.
#pragma once

#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "sidecar/db/outcome.h"
#include "sidecar/db/pool.h"

namespace visage::sidecar::db {

enum class Flow { kRegister, kVerify, kCompare, kCancel };

std::string_view flow_name(Flow flow);

struct FlowArguments {
  std::string subject;  // not for kCompare
  Bytes probe;          // a sealed envelope; not for kCancel
  Bytes document;       // a sealed envelope; kCompare only
  std::string channel = "default";
  std::string scenario = "default";
  std::string context = "{}";  // a JSON object
};

Trouble call_flow(Pool& pool, Flow flow, const FlowArguments& arguments, Outcome& out);

}  // namespace visage::sidecar::db
