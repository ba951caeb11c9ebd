#include "sidecar/db/flows.h"

#include <vector>

namespace visage::sidecar::db {
namespace {

enum class Argument {
  kSubject,
  kProbe,
  kDocument,
  kReference,
  kSession,
  kKind,
  kSecret,
  kMaxCandidates,
  kChannel,
  kScenario,
  kContext
};
using enum Argument;

struct Call {
  Flow flow;
  std::string_view name;
  const char* text;  // of the call, behind "visage."
  std::vector<Argument> arguments;
};

// Probes and secrets travel in binary form: the text form of a probe would be built and parsed for nothing,
// and a secret needs no copy that ends with a NUL.
const Call kCalls[] = {
    {Flow::kRegister,
     "register",
     "register($1, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)",
     {kSubject, kProbe, kChannel, kScenario, kContext}},
    {Flow::kRegisterWithDocument,
     "register_with_document",
     "register_with_document($1, $2::visage.probe, $3::visage.probe, channel => $4, scenario => $5, "
     "context => $6::jsonb)",
     {kSubject, kProbe, kDocument, kChannel, kScenario, kContext}},
    {Flow::kVerify,
     "verify",
     "verify($1, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)",
     {kSubject, kProbe, kChannel, kScenario, kContext}},
    {Flow::kCompare,
     "compare",
     "compare($1::visage.probe, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)",
     {kProbe, kDocument, kChannel, kScenario, kContext}},
    {Flow::kAddReference,
     "add_reference",
     "add_reference($1, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)",
     {kSubject, kProbe, kChannel, kScenario, kContext}},
    {Flow::kDropReference,
     "drop_reference",
     "drop_reference($1, $2::uuid, channel => $3, scenario => $4, context => $5::jsonb)",
     {kSubject, kReference, kChannel, kScenario, kContext}},
    {Flow::kReplaceReferences,
     "replace_reference",
     "replace_reference($1, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)",
     {kSubject, kProbe, kChannel, kScenario, kContext}},
    {Flow::kReplaceReference,
     "replace_reference",
     "replace_reference($1, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb, "
     "reference => $6::uuid)",
     {kSubject, kProbe, kChannel, kScenario, kContext, kReference}},
    {Flow::kCancel,
     "cancel",
     "cancel($1, channel => $2, scenario => $3, context => $4::jsonb)",
     {kSubject, kChannel, kScenario, kContext}},
    {Flow::kUnlock,
     "unlock",
     "unlock_with_factors($1, channel => $2, scenario => $3, context => $4::jsonb)",
     {kSubject, kChannel, kScenario, kContext}},
    {Flow::kEnrolFactor,
     "enrol_factor",
     "enrol_factor($1, $2::visage.factor_kind, $3::text, channel => $4, scenario => $5, context => "
     "$6::jsonb)",
     {kSubject, kKind, kSecret, kChannel, kScenario, kContext}},
    {Flow::kReplaceFactor,
     "replace_factor",
     "replace_factor($1, $2::visage.factor_kind, $3::text, channel => $4, scenario => $5, context => "
     "$6::jsonb)",
     {kSubject, kKind, kSecret, kChannel, kScenario, kContext}},
    {Flow::kRemoveFactor,
     "remove_factor",
     "remove_factor($1, $2::visage.factor_kind, channel => $3, scenario => $4, context => $5::jsonb)",
     {kSubject, kKind, kChannel, kScenario, kContext}},
    {Flow::kPresentFactor,
     "present_factor",
     "present_factor($1::uuid, $2::visage.factor_kind, $3::text, $4::jsonb)",
     {kSession, kKind, kSecret, kContext}},
    {Flow::kPresentFace,
     "present_factor",
     "present_factor($1::uuid, 'face', $2::visage.probe::text, $3::jsonb)",
     {kSession, kProbe, kContext}},
    {Flow::kIdentify,
     "identify",
     "identify($1::visage.probe, $2::integer, channel => $3, scenario => $4, context => $5::jsonb)",
     {kProbe, kMaxCandidates, kChannel, kScenario, kContext}},
};

const Call& call_of(Flow flow) {
  return kCalls[static_cast<size_t>(flow)];
}

Parameter parameter_of(const FlowArguments& given, Argument argument) {
  switch (argument) {
    case kSubject:
      return Parameter::text(given.subject);
    case kProbe:
      return Parameter::bytes(given.probe);
    case kDocument:
      return Parameter::bytes(given.document);
    case kReference:
      return Parameter::text(given.reference);
    case kSession:
      return Parameter::text(given.session);
    case kKind:
      return Parameter::text(given.kind);
    case kSecret:
      return Parameter::secret(given.secret);
    case kMaxCandidates:
      return Parameter::text(given.max_candidates);
    case kChannel:
      return Parameter::text(given.channel);
    case kScenario:
      return Parameter::text(given.scenario);
    case kContext:
      break;
  }
  return Parameter::text(given.context);
}

}  // namespace

std::string_view flow_name(Flow flow) {
  return call_of(flow).name;
}

int probes_of(Flow flow) {
  int count = 0;
  for (const Argument argument : call_of(flow).arguments)
    if (argument == kProbe || argument == kDocument) ++count;
  return count;
}

bool stores_face(Flow flow) {
  return flow == Flow::kRegister || flow == Flow::kRegisterWithDocument || flow == Flow::kAddReference ||
         flow == Flow::kReplaceReferences || flow == Flow::kReplaceReference;
}

Trouble call_flow(Pool& pool, Flow flow, const FlowArguments& arguments, Outcome& out) {
  const Call& call = call_of(flow);
  std::vector<Parameter> parameters;
  for (const Argument argument : call.arguments) parameters.push_back(parameter_of(arguments, argument));
  const bool many = flow == Flow::kIdentify;
  const std::string sql = std::string("SELECT ") + (many ? kIdentificationColumns : kOutcomeColumns) +
                          " FROM visage." + call.text;
  Result result;
  if (Trouble trouble = pool.run(sql.c_str(), parameters, result)) return trouble;
  return many ? read_identification(result.get(), out) : read_outcome(result.get(), out);
}

}  // namespace visage::sidecar::db
