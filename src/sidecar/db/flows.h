// The SQL of the flows: one function call each, in its own transaction.
#pragma once

#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "sidecar/db/outcome.h"
#include "sidecar/db/pool.h"

namespace visage::sidecar::db {

enum class Flow {
  kRegister,
  kRegisterWithDocument,
  kVerify,
  kCompare,
  kAddReference,
  kDropReference,
  kReplaceReferences,  // all of a subject's
  kReplaceReference,
  kCancel,
  kUnlock,
  kEnrolFactor,
  kReplaceFactor,
  kRemoveFactor,
  kPresentFactor,
  kPresentFace,  // a factor whose evidence is a probe
  kIdentify,
};

std::string_view flow_name(Flow flow);
// How many probes it takes: the face, and for kCompare and kRegisterWithDocument the document's photo.
int probes_of(Flow flow);

// Makes a reference of the face: then nobody else may be in the picture. [6.1.1f]
bool stores_face(Flow flow);

// Which of them a flow takes is in flows.cpp.
struct FlowArguments {
  std::string subject;
  Bytes probe;     // a sealed envelope
  Bytes document;  // a sealed envelope
  std::string reference;
  std::string session;  // where it is an argument of its own; else it is in the context
  std::string kind;     // of a factor
  Bytes secret;         // of a factor, or the evidence of one
  std::string max_candidates = "1";
  std::string channel = "default";
  std::string scenario = "default";
  std::string context = "{}";  // a JSON object
};

Trouble call_flow(Pool& pool, Flow flow, const FlowArguments& arguments, Outcome& out);

}  // namespace visage::sidecar::db
