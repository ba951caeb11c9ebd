#include "core/audit/event.h"

#include <iterator>

namespace visage::audit {
namespace {

constexpr uint8_t kVersion = 1;

constexpr std::string_view kOperations[] = {"register",
                                            "verify",
                                            "compare",
                                            "add_reference",
                                            "drop_reference",
                                            "cancel",
                                            "open_ledger",
                                            "settle",
                                            "change",
                                            "unlock",
                                            "archive",
                                            "rotate_ledger_key",
                                            "give_consent",
                                            "withdraw_consent",
                                            "export_subject",
                                            "erase",
                                            "restore",
                                            "open_session",
                                            "claim_session",
                                            "close_session",
                                            "enrol_factor",
                                            "replace_factor",
                                            "remove_factor",
                                            "present_factor",
                                            "replace_reference",
                                            "adapt_reference",
                                            "revert_adaptation",
                                            "reprotect",
                                            "find_duplicate",
                                            "review_duplicate",
                                            "allow_duplicate",
                                            "check_identity",
                                            "revoke",
                                            "identify",
                                            "find_candidate"};
constexpr std::string_view kDecisions[] = {"", "accept", "reject", "refuse"};
constexpr std::string_view kReasons[] = {"",
                                         "OK",
                                         "NO_MATCH",
                                         "LOCKED",
                                         "CONSENT_MISSING",
                                         "REVOKED",
                                         "EXPIRED_PROBE",
                                         "REPLAYED_PROBE",
                                         "UNKNOWN_SOURCE",
                                         "LIVENESS",
                                         "QUALITY",
                                         "FACTOR_MISSING",
                                         "DENIED",
                                         "UNKNOWN_SUBJECT",
                                         "SUBJECT_EXISTS",
                                         "UNKNOWN_REFERENCE",
                                         "LAST_REFERENCE",
                                         "REFERENCE_LIMIT",
                                         "MODEL_MISMATCH",
                                         "NOT_CALIBRATED",
                                         "INTERRUPTED",
                                         "NOT_ENTITLED",

                                         "SESSION_MISSING",
                                         "UNKNOWN_SESSION",
                                         "EXPIRED_SESSION",
                                         "REPLAYED_SESSION",
                                         "SESSION_MISMATCH",
                                         "WRONG_FACTOR",
                                         "REPLAYED_FACTOR",
                                         "UNKNOWN_FACTOR",
                                         "FACTOR_EXISTS",
                                         "DUPLICATE_PERSON",
                                         "UNDETERMINED",
                                         "REFERENCE_EXPIRED",
                                         "IDENTITY_UNCHECKED"};
static_assert(std::size(kOperations) == static_cast<size_t>(Operation::kCount));
static_assert(std::size(kDecisions) == static_cast<size_t>(Decision::kCount));
static_assert(std::size(kReasons) == static_cast<size_t>(Reason::kCount));

// An enumeration may come from shared memory: out of range it has no label.
template <typename Enum, size_t kCount>
std::string_view label_in(const std::string_view (&labels)[kCount], Enum value) {
  const auto number = static_cast<size_t>(value);
  return number < kCount ? labels[number] : "";
}

template <typename Enum, size_t kCount>
bool find_in(const std::string_view (&labels)[kCount], std::string_view label, Enum& out) {
  for (size_t i = 0; i < kCount; ++i)
    if (!label.empty() && labels[i] == label) {
      out = static_cast<Enum>(i);
      return true;
    }
  return false;
}

constexpr size_t kMaxLabelLength = 17;
static_assert(std::string_view("rotate_ledger_key").size() == kMaxLabelLength);
static_assert(std::string_view("UNKNOWN_REFERENCE").size() == kMaxLabelLength);
static_assert(1 + 8 + 8 + 4 + 3 * (1 + kMaxLabelLength) + 6 * 16 + 3 * kKeyedHashSize + 2 * 4 + 4 * 8 +
                  3 * kHashSize + 8 * 2 + 3 * kMaxNameLength + kMaxModelLength + kMaxBusinessIdLength +
                  kMaxObjectLength + kMaxNoteLength + kMaxCaptureLength + 1 + kHeadSize <=
              kMaxLeafSize);

template <size_t kMax>
bool fits(const EventRecord& event, Field field, const Text<kMax>& text) {
  return !event.has(field) || text.size <= kMax;
}

Status check(const EventRecord& event, Bytes previous_head) {
  if (label(event.operation)[0] == '\0' || (event.fields & ~kAllFields) != 0 ||
      (event.has(Field::kDecision) && label(event.decision)[0] == '\0') ||
      (event.has(Field::kReason) && label(event.reason)[0] == '\0'))
    return Status::error(Code::kInvalidArgument,
                         "event with an unknown field, operation, decision or reason");
  if (event.caller.size > kMaxNameLength || !fits(event, Field::kChannel, event.channel) ||
      !fits(event, Field::kScenario, event.scenario) || !fits(event, Field::kModel, event.model) ||
      !fits(event, Field::kBusinessId, event.business_id) || !fits(event, Field::kObject, event.object) ||
      !fits(event, Field::kNote, event.note) || !fits(event, Field::kCapture, event.capture))
    return Status::error(Code::kInvalidArgument, "event with a text that is too long");
  if (!previous_head.empty() && previous_head.size() != kHeadSize)
    return Status::error(Code::kInvalidArgument, "a head of %zu bytes", previous_head.size());
  return {};
}

void write_label(Writer& writer, const char* label) {
  const std::string_view text = label;
  writer.number(static_cast<uint8_t>(text.size()));
  writer.bytes(as_bytes(text));
}

template <size_t kMax>
void write_text(Writer& writer, const Text<kMax>& text) {
  writer.number(text.size);
  writer.bytes(as_bytes(text.view()));
}

void write_fields(Writer& writer, const EventRecord& event) {
  if (event.has(Field::kInstitution)) writer.number(event.institution);
  if (event.has(Field::kSubject)) writer.uuid(event.subject);
  if (event.has(Field::kChannel)) write_text(writer, event.channel);
  if (event.has(Field::kScenario)) write_text(writer, event.scenario);
  if (event.has(Field::kDecision)) write_label(writer, label(event.decision));
  if (event.has(Field::kReason)) write_label(writer, label(event.reason));
  if (event.has(Field::kTargetFmr)) writer.number(event.target_fmr);
  if (event.has(Field::kModel)) write_text(writer, event.model);
  if (event.has(Field::kPolicyVersion)) writer.number(event.policy_version);
  if (event.has(Field::kSource)) writer.uuid(event.source);
  if (event.has(Field::kProbe)) writer.uuid(event.probe);
  if (event.has(Field::kReference)) writer.uuid(event.reference);
  if (event.has(Field::kAddress)) writer.bytes(event.address);
  if (event.has(Field::kDevice)) writer.bytes(event.device);
  if (event.has(Field::kBusinessId)) write_text(writer, event.business_id);
  if (event.has(Field::kElapsed)) writer.number(event.elapsed_us);
  if (event.has(Field::kXid)) writer.number(event.xid);
  if (event.has(Field::kSettles)) writer.number(event.settles);
  if (event.has(Field::kObject)) write_text(writer, event.object);
  if (event.has(Field::kBefore)) writer.bytes(event.before);
  if (event.has(Field::kAfter)) writer.bytes(event.after);
  if (event.has(Field::kNote)) write_text(writer, event.note);
  if (event.has(Field::kDetail)) writer.bytes(event.detail);
  if (event.has(Field::kSession)) writer.uuid(event.session);
  if (event.has(Field::kRequest)) writer.bytes(event.request);
  if (event.has(Field::kCapture)) write_text(writer, event.capture);
}

}  // namespace

const char* label(Operation operation) {
  return label_in(kOperations, operation).data();
}
const char* label(Decision decision) {
  return label_in(kDecisions, decision).data();
}
const char* label(Reason reason) {
  return label_in(kReasons, reason).data();
}

bool find_operation(std::string_view label, Operation& out) {
  return find_in(kOperations, label, out);
}
bool find_decision(std::string_view label, Decision& out) {
  return find_in(kDecisions, label, out);
}
bool find_reason(std::string_view label, Reason& out) {
  return find_in(kReasons, label, out);
}

Status encode_leaf(const EventRecord& event, uint64_t seq, int64_t at_unix_us, Bytes previous_head,
                   MutableBytes out, size_t& size) {
  VISAGE_TRY(check(event, previous_head));
  Writer writer(out);
  writer.number(kVersion);
  writer.number(seq);
  writer.number(at_unix_us);
  write_label(writer, label(event.operation));
  writer.uuid(event.transaction);
  write_text(writer, event.caller);
  writer.number(event.fields);
  write_fields(writer, event);
  writer.number(static_cast<uint8_t>(previous_head.empty() ? 0 : 1));
  writer.bytes(previous_head);
  if (!writer.ok()) return Status::error(Code::kInternal, "leaf exceeds its buffer");
  size = writer.position();
  return {};
}

}  // namespace visage::audit
