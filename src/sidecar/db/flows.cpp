#include "sidecar/db/flows.h"

#include <vector>

namespace visage::sidecar::db {
namespace {

std::string call(const char* function_and_first_arguments) {
  return std::string("SELECT ") + kOutcomeColumns + " FROM visage." + function_and_first_arguments;
}

// Probes travel in binary form: their text form would be built and parsed for nothing.
const std::string& statement(Flow flow) {
  static const std::string kStatements[] = {
      call("register($1, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)"),
      call("verify($1, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)"),
      call(
          "compare($1::visage.probe, $2::visage.probe, channel => $3, scenario => $4, context => $5::jsonb)"),
      call("cancel($1, channel => $2, scenario => $3, context => $4::jsonb)"),
  };
  return kStatements[static_cast<size_t>(flow)];
}

}  // namespace

std::string_view flow_name(Flow flow) {
  constexpr std::string_view kNames[] = {"register", "verify", "compare", "cancel"};
  return kNames[static_cast<size_t>(flow)];
}

Trouble call_flow(Pool& pool, Flow flow, const FlowArguments& arguments, Outcome& out) {
  std::vector<Parameter> parameters;
  if (flow != Flow::kCompare) parameters.push_back(Parameter::text(arguments.subject));
  if (flow != Flow::kCancel) parameters.push_back(Parameter::bytes(arguments.probe));
  if (flow == Flow::kCompare) parameters.push_back(Parameter::bytes(arguments.document));
  parameters.push_back(Parameter::text(arguments.channel));
  parameters.push_back(Parameter::text(arguments.scenario));
  parameters.push_back(Parameter::text(arguments.context));
  Result result;
  if (Trouble trouble = pool.run(statement(flow).c_str(), parameters, result)) return trouble;
  return read_outcome(result.get(), out);
}

}  // namespace visage::sidecar::db
