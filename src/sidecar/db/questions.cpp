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
             "s.claimed_at, 'decision', s.decision, 'reason', s.reason, 'event', s.event, 'seconds', "
             "extract(epoch FROM s.expires_at - clock_timestamp())) "
             "FROM visage.sessions s WHERE s.session = $1::uuid "
             "AND s.institution = current_setting('visage.institution')";
    case Question::kCandidates:
      return "SELECT json_build_object('candidates', coalesce(json_agg(json_build_object('rank', c.rank, "
             "'subject', c.subject) ORDER BY c.rank), '[]')) FROM visage.session_candidates($1::uuid) c";
    case Question::kReadChallenge:
      return "SELECT json_build_object('challenge', s.challenge) FROM visage.sessions s "
             "WHERE s.session = $1::uuid AND s.institution = current_setting('visage.institution')";
    case Question::kCloseSession:
      return "SELECT json_build_object('closed', visage.close_session($1::uuid))";
    case Question::kListFactors:
      return "SELECT json_build_object('factors', coalesce(json_agg(json_build_object('factor', f.factor, "
             "'kind', "
             "f.kind, 'enrolled_at', f.created_at)), '[]')) FROM visage.list_factors($1) f";
    case Question::kReadNotice:
      return "SELECT json_build_object('notice', $1::text, 'version', n.version, 'digest', encode(n.digest, "
             "'hex'), "
             "'purposes', n.purposes, 'manner', n.manner, 'scope', n.scope, 'storage', n.storage, 'text', "
             "n.text, "
             "'published_at', n.published_at) FROM visage.read_notice($1) n";
    case Question::kListConsents:
      return "SELECT json_build_object('consents', coalesce(json_agg(json_build_object('consent', c.consent, "
             "'purpose', c.purpose, 'notice', c.notice, 'version', c.version, 'channel', c.channel, "
             "'given_at', "
             "c.given_at, 'valid_until', c.valid_until, 'under_14', c.under_14, 'by_guardian', "
             "c.by_guardian, "
             "'ended_at', c.ended_at, 'ended_by', c.ended_by)), '[]')) FROM visage.list_consents($1) c";
    case Question::kGiveConsent:
      return "SELECT json_build_object('consents', json_agg(json_build_object('consent', c.consent, "
             "'purpose', "
             "c.purpose, 'valid_until', c.valid_until))) FROM visage.give_consent($1, $2, decode($3, 'hex'), "
             "ARRAY(SELECT jsonb_array_elements_text($4::jsonb)), $5::boolean, $6, nullif($7, ''), "
             "nullif($8, '')) c";
    case Question::kWithdrawConsent:
      return "SELECT json_build_object('withdrawn', visage.withdraw_consent($1, CASE WHEN $2 <> '' THEN "
             "ARRAY[$2] END, "
             "$3))";
    case Question::kOpenPage:
      return "SELECT json_build_object('opened', s.state IN ('CREATED', 'IN_PROGRESS') AND "
             "visage.open_capture_page(s.session), 'state', s.state, 'until', "
             "floor(extract(epoch FROM s.expires_at))::bigint) FROM visage.sessions s WHERE s.session = "
             "$1::uuid "
             "AND s.institution = current_setting('visage.institution')";
    case Question::kPageSession:
      return "SELECT json_build_object('opened', true, 'state', s.state, 'until', floor(extract(epoch FROM "
             "s.expires_at))::bigint) FROM visage.sessions s WHERE s.session = $1::uuid "
             "AND s.institution = current_setting('visage.institution')";
    case Question::kCaptureDemands:
      return "SELECT json_build_object('challenge', string_to_array(d.challenge, ','), 'demands', d.demands) "
             "FROM visage.capture_demands($1::uuid) d WHERE d.demands IS NOT NULL";
    case Question::kPhotoSession:
      return "SELECT json_build_object('purpose', s.purpose, 'channel', s.channel, 'open', s.state IN "
             "('CREATED', 'IN_PROGRESS'), 'document_required', s.document_required, 'seconds', "
             "ceil(extract(epoch FROM s.expires_at - clock_timestamp()))::bigint) FROM visage.sessions s "
             "WHERE s.session = $1::uuid AND s.institution = current_setting('visage.institution')";
    case Question::kRequireDocument:
      return "SELECT json_build_object('required', visage.require_document($1::uuid))";
    case Question::kRecordIdentity:
      return "SELECT json_build_object('record', visage.record_authority_check($1, $2, $3::boolean, "
             "ARRAY(SELECT jsonb_array_elements_text($4::jsonb)), comparison => nullif($5, '')::uuid, "
             "reference => $6, answer_digest => decode($7, 'hex'), fields_digest => decode($8, 'hex'), "
             "photo_digest => decode(nullif($9, ''), 'hex')))";
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
