// An event of the ledger, and the bytes of it that the ledger's tree covers.
//
// An EventRecord is plain memory of fixed size: a backend fills one in shared memory, the audit writer gives
// it its number and time and stores it as a row. The leaf's bytes are made from the same structure when a row
// is written and when it is verified. docs/formats.md describes them; they are frozen for version 1.
#pragma once

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/crypto/engine.h"

namespace visage::audit {

// Labels are those of enum visage.operation, visage.decision and visage.reason in sql/install/50_audit.sql,
// which says what each means. The label, not the number, goes into the leaf.
enum class Operation : uint8_t {
  kRegister,
  kVerify,
  kCompare,
  kAddReference,
  kDropReference,
  kCancel,
  // What follows records a change, not a verdict.
  kOpenLedger,
  kSettle,
  kChange,
  kUnlock,
  kArchive,
  kRotateLedgerKey,
  kGiveConsent,
  kWithdrawConsent,
  kExportSubject,
  kErase,
  kRestore,
  // Of sessions and factors.
  kOpenSession,
  kClaimSession,
  kCloseSession,
  kEnrolFactor,
  kReplaceFactor,
  kRemoveFactor,
  kPresentFactor,
  // Of the life of references, and of one person under two names.
  kReplaceReference,
  kAdaptReference,
  kRevertAdaptation,
  kReprotect,
  kFindDuplicate,
  kReviewDuplicate,
  kAllowDuplicate,
  kCheckIdentity,
  kRevoke,
  // One to many.
  kIdentify,
  kFindCandidate,
  kCount,
};
enum class Decision : uint8_t { kNone, kAccept, kReject, kRefuse, kCount };
enum class Reason : uint8_t {
  kNone,
  kOk,
  kNoMatch,
  kLocked,
  kConsentMissing,
  kRevoked,
  kExpiredProbe,
  kReplayedProbe,
  kUnknownSource,
  kLiveness,
  kQuality,
  kFactorMissing,
  kDenied,
  kUnknownSubject,
  kSubjectExists,
  kUnknownReference,
  kLastReference,
  kReferenceLimit,
  kModelMismatch,
  kNotCalibrated,
  kInterrupted,
  kNotEntitled,
  kSessionMissing,
  kUnknownSession,
  kExpiredSession,
  kReplayedSession,
  kSessionMismatch,
  kWrongFactor,
  kReplayedFactor,
  kUnknownFactor,
  kFactorExists,
  kDuplicatePerson,
  kUndetermined,
  kReferenceExpired,
  kIdentityUnchecked,
  kCount,
};

// "register", "verify" …; "" for kNone.
const char* label(Operation operation);
const char* label(Decision decision);
const char* label(Reason reason);
// False when there is no such label.
bool find_operation(std::string_view label, Operation& out);
bool find_decision(std::string_view label, Decision& out);
bool find_reason(std::string_view label, Reason& out);

inline constexpr size_t kHashSize = crypto::kDigestSize;
inline constexpr size_t kKeyedHashSize = 16;  // of an address, a device or a request
inline constexpr size_t kSignatureSize = 64;
// root key version (4, little-endian) ‖ tree hash (32) ‖ Ed25519 signature (64)
inline constexpr size_t kHeadSize = 4 + kHashSize + kSignatureSize;

inline constexpr size_t kMaxNameLength = 63;  // channel, scenario, caller: PostgreSQL's own limit, in bytes
inline constexpr size_t kMaxModelLength = 63;
inline constexpr size_t kMaxBusinessIdLength = 128;
inline constexpr size_t kMaxObjectLength = 255;
inline constexpr size_t kMaxNoteLength = 255;
inline constexpr size_t kMaxCaptureLength = 548;  // of a capture record, core/probe/capture_record.h

// A text field: UTF-8 (or the database's encoding), not terminated.
template <size_t kMax>
struct Text {
  uint16_t size;
  char bytes[kMax];

  std::string_view view() const { return {bytes, size}; }
  // Longer text is cut at kMax bytes; callers check lengths first where cutting would matter.
  void set(std::string_view text) {
    size = static_cast<uint16_t>(text.size() < kMax ? text.size() : kMax);
    std::memcpy(bytes, text.data(), size);
  }
};

// Which optional fields an event has. The bit's number is the field's place in the leaf.
enum class Field : uint32_t {
  kInstitution = 1u << 0,
  kSubject = 1u << 1,
  kChannel = 1u << 2,
  kScenario = 1u << 3,
  kDecision = 1u << 4,
  kReason = 1u << 5,
  kTargetFmr = 1u << 6,
  kModel = 1u << 7,
  kPolicyVersion = 1u << 8,
  kSource = 1u << 9,
  kProbe = 1u << 10,
  kReference = 1u << 11,
  kAddress = 1u << 12,
  kDevice = 1u << 13,
  kBusinessId = 1u << 14,
  kElapsed = 1u << 15,
  kXid = 1u << 16,
  kSettles = 1u << 17,
  kObject = 1u << 18,
  kBefore = 1u << 19,
  kAfter = 1u << 20,
  kNote = 1u << 21,
  kDetail = 1u << 22,
  kSession = 1u << 23,
  kRequest = 1u << 24,
  kCapture = 1u << 25,
};
inline constexpr uint32_t kAllFields = (1u << 26) - 1;

struct EventRecord {
  uint32_t fields;  // of Field
  Operation operation;
  Decision decision;
  Reason reason;
  Uuid transaction;  // always there
  int32_t institution;
  Uuid subject;  // the surrogate
  double target_fmr;
  int32_t policy_version;
  Uuid source;
  Uuid probe;
  Uuid reference;
  uint8_t address[kKeyedHashSize];
  uint8_t device[kKeyedHashSize];
  int64_t elapsed_us;
  uint64_t xid;               // the transaction whose end decides whether what the event says happened
  int64_t settles;            // number of the event that this one settles
  uint8_t before[kHashSize];  // digests of what was changed
  uint8_t after[kHashSize];
  uint8_t detail[kHashSize];  // commitment to details that may be erased
  Uuid session;
  uint8_t request[kKeyedHashSize];  // of the arguments of a call that names a business id
  Text<kMaxNameLength> channel;
  Text<kMaxNameLength> scenario;
  Text<kMaxModelLength> model;
  Text<kMaxNameLength> caller;  // always there
  Text<kMaxBusinessIdLength> business_id;
  Text<kMaxObjectLength> object;  // what a change was made to
  Text<kMaxNoteLength> note;
  Text<kMaxCaptureLength> capture;  // bytes: what is kept of the probe's quality and liveness

  bool has(Field field) const { return (fields & static_cast<uint32_t>(field)) != 0; }
  void mark(Field field) { fields |= static_cast<uint32_t>(field); }
};

inline constexpr size_t kMaxLeafSize = 2048;

// Writes the leaf's bytes: version, number, time, operation, transaction, caller, the mask of fields, the
// fields in the order of their bits, and last the head that the previous event carries, when it carries one
// (`previous_head` empty or of kHeadSize): so the tree covers every head but the newest, which its own
// signature covers. kInvalidArgument for an enumeration or mask out of range.
Status encode_leaf(const EventRecord& event, uint64_t seq, int64_t at_unix_us, Bytes previous_head,
                   MutableBytes out, size_t& size);

}  // namespace visage::audit
