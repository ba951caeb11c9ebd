#include "sidecar/db/questions.h"

namespace visage::sidecar::db {
namespace {

const char* statement(Question question) {
  switch (question) {
    case Question::kOpenSession:
      return "SELECT json_build_object('session', s.session, 'reason', s.reason, 'purpose', $2::text, "
             "'nonce', "
             "encode(s.nonce, 'hex'), 'factors', s.factors, 'challenge', string_to_array(s.challenge, ','), "
             "'expires_at', s.expires_at) "
             "FROM visage.open_session(nullif($1, ''), $2::visage.operation, scenario => $3, channel => $4, "
             "context => $5::jsonb) s";
    case Question::kClaimSession:
      return "SELECT json_build_object('claimed', s.claimed, 'reason', s.reason, 'purpose', s.purpose, "
             "'scenario', "
             "s.scenario, 'nonce', encode(s.nonce, 'hex'), 'factors', s.factors, 'challenge', "
             "string_to_array(s.challenge, ','), 'expires_at', s.expires_at) "
             "FROM visage.claim_session($1::uuid, $2, context => $3::jsonb) s";
    case Question::kReadSession:
      return "SELECT json_build_object('session', s.session, 'purpose', s.purpose, 'scenario', s.scenario, "
             "'opened_channel', s.opened_channel, 'channel', s.channel, 'state', s.state, 'factors', "
             "s.factors, "
             "'presented', s.presented, 'opened_at', s.opened_at, 'expires_at', s.expires_at, 'claimed_at', "
             "s.claimed_at, 'decision', s.decision, 'reason', s.reason, 'event', s.event) "
             "FROM visage.sessions s WHERE s.session = $1::uuid "
             "AND s.institution = current_setting('visage.institution')";
    case Question::kReadChallenge:
      return "SELECT json_build_object('challenge', s.challenge) FROM visage.sessions s "
             "WHERE s.session = $1::uuid AND s.institution = current_setting('visage.institution')";
    case Question::kCloseSession:
      return "SELECT json_build_object('closed', visage.close_session($1::uuid))";
    case Question::kListFactors:
      return "SELECT json_build_object('factors', coalesce(json_agg(json_build_object('factor', f.factor, "
             "'kind', "
             "f.kind, 'enrolled_at', f.created_at)), '[]')) FROM visage.list_factors($1) f";
    case Question::kListReferences:
      break;
  }
  return "SELECT json_build_object('references', coalesce(json_agg(json_build_object('reference', "
         "r.reference, "
         "'model', r.model, 'channel', r.channel, 'created_at', r.created_at)), '[]')) "
         "FROM visage.list_references($1) r";
}

}  // namespace

Trouble ask(Pool& pool, Question question, const std::vector<std::string>& arguments, bool& found,
            std::string& json) {
  std::vector<Parameter> parameters;
  for (const std::string& argument : arguments) parameters.push_back(Parameter::text(argument));
  Result result;
  if (Trouble trouble = pool.run(statement(question), parameters, result)) return trouble;
  found = PQntuples(result.get()) == 1;
  if (found)
    json.assign(PQgetvalue(result.get(), 0, 0), static_cast<size_t>(PQgetlength(result.get(), 0, 0)));
  return {};
}

}  // namespace visage::sidecar::db
