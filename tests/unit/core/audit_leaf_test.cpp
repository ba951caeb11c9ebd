// The bytes of a leaf: what every field does to them, and that nothing else has the same.
#include <functional>
#include <map>

#include "core/audit/event.h"
#include "core/keys/ledger_key.h"
#include "support.h"

namespace visage::audit {
namespace {

using test::Buffer;
using test::to_hex;

static_assert(kKeyedHashSize == keys::kKeyedHashSize);

// What encode_leaf() is given.
struct Input {
  EventRecord event = {};
  uint64_t seq = 1;
  int64_t at = 0;
  Buffer head;
};

Status encode(const Input& input, Buffer& out) {
  out.assign(kMaxLeafSize, 0xEE);
  size_t size = 0;
  const Status status = encode_leaf(input.event, input.seq, input.at, input.head, out, size);
  out.resize(size);
  return status;
}
Buffer encoded(const Input& input) {
  Buffer out;
  EXPECT_OK(encode(input, out));
  return out;
}

template <size_t kMax>
void set_random(std::mt19937_64& random, Text<kMax>& text) {
  // Mostly short and of few letters, so that borders between texts move while their letters stay.
  const size_t size = random() % 8 == 0 ? kMax : random() % 4;
  std::string made;
  while (made.size() < size) made += "ab\x01\0"[random() % 4];
  text.set(made);
}
template <typename T>
void set_random(std::mt19937_64& random, T& value) {
  const Buffer bytes = random() % 2 == 0 ? test::random_bytes(random, sizeof value)
                                         : Buffer(sizeof value, static_cast<uint8_t>(random() % 2));
  std::memcpy(&value, bytes.data(), sizeof value);
}
template <typename Enum>
Enum random_enum(std::mt19937_64& random, Enum first) {
  const auto from = static_cast<uint64_t>(first);
  return static_cast<Enum>(from + random() % (static_cast<uint64_t>(Enum::kCount) - from));
}

Input random_input(std::mt19937_64& random) {
  Input input;
  EventRecord& event = input.event;
  event.fields = static_cast<uint32_t>(random()) & static_cast<uint32_t>(random()) & kAllFields;
  event.operation = random_enum(random, Operation::kRegister);
  event.decision = random_enum(random, Decision::kAccept);
  event.reason = random_enum(random, Reason::kOk);
  set_random(random, event.transaction);
  set_random(random, event.institution);
  set_random(random, event.subject);
  set_random(random, event.target_fmr);
  set_random(random, event.policy_version);
  set_random(random, event.source);
  set_random(random, event.probe);
  set_random(random, event.reference);
  set_random(random, event.address);
  set_random(random, event.device);
  set_random(random, event.elapsed_us);
  set_random(random, event.xid);
  set_random(random, event.settles);
  set_random(random, event.before);
  set_random(random, event.after);
  set_random(random, event.detail);
  set_random(random, event.session);
  set_random(random, event.request);
  set_random(random, event.capture);
  set_random(random, event.channel);
  set_random(random, event.scenario);
  set_random(random, event.model);
  set_random(random, event.caller);
  set_random(random, event.business_id);
  set_random(random, event.object);
  set_random(random, event.note);
  set_random(random, input.seq);
  set_random(random, input.at);
  if (random() % 2 == 0) input.head = test::random_bytes(random, kHeadSize);
  return input;
}

// Reads a leaf back by docs/formats.md. That it can be read back at all is why no two events share one.
class LeafReader {
 public:
  explicit LeafReader(const Buffer& bytes) : reader_(bytes) {}

  bool read(Input& out) {
    EventRecord& event = out.event;
    if (reader_.number<uint8_t>() != 1) return false;
    out.seq = reader_.number<uint64_t>();
    out.at = reader_.number<int64_t>();
    bool known = find_operation(label_text(), event.operation);
    event.transaction = reader_.uuid();
    text(event.caller);
    event.fields = reader_.number<uint32_t>();
    const auto number = [this](auto& value) {
      value = reader_.number<std::remove_reference_t<decltype(value)>>();
    };
    const auto bytes = [this](auto& value) { reader_.copy(&value, sizeof value); };
    if (event.has(Field::kInstitution)) number(event.institution);
    if (event.has(Field::kSubject)) bytes(event.subject);
    if (event.has(Field::kChannel)) text(event.channel);
    if (event.has(Field::kScenario)) text(event.scenario);
    if (event.has(Field::kDecision)) known &= find_decision(label_text(), event.decision);
    if (event.has(Field::kReason)) known &= find_reason(label_text(), event.reason);
    if (event.has(Field::kTargetFmr)) bytes(event.target_fmr);
    if (event.has(Field::kModel)) text(event.model);
    if (event.has(Field::kPolicyVersion)) number(event.policy_version);
    if (event.has(Field::kSource)) bytes(event.source);
    if (event.has(Field::kProbe)) bytes(event.probe);
    if (event.has(Field::kReference)) bytes(event.reference);
    if (event.has(Field::kAddress)) bytes(event.address);
    if (event.has(Field::kDevice)) bytes(event.device);
    if (event.has(Field::kBusinessId)) text(event.business_id);
    if (event.has(Field::kElapsed)) number(event.elapsed_us);
    if (event.has(Field::kXid)) number(event.xid);
    if (event.has(Field::kSettles)) number(event.settles);
    if (event.has(Field::kObject)) text(event.object);
    if (event.has(Field::kBefore)) bytes(event.before);
    if (event.has(Field::kAfter)) bytes(event.after);
    if (event.has(Field::kNote)) text(event.note);
    if (event.has(Field::kDetail)) bytes(event.detail);
    if (event.has(Field::kSession)) bytes(event.session);
    if (event.has(Field::kRequest)) bytes(event.request);
    if (event.has(Field::kCapture)) text(event.capture);
    const auto carried = reader_.number<uint8_t>();
    const Bytes head = reader_.take(carried == 1 ? kHeadSize : 0);
    out.head.assign(head.begin(), head.end());
    return known && carried <= 1 && reader_.ok() && reader_.remaining() == 0;
  }

 private:
  std::string_view label_text() {
    const Bytes bytes = reader_.take(reader_.number<uint8_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  template <size_t kMax>
  void text(Text<kMax>& out) {
    const Bytes bytes = reader_.take(reader_.number<uint16_t>());
    out.set({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  Reader reader_;
};

// What an event says; fields that it does not have say nothing.
std::string meaning(const Input& input) {
  const EventRecord& event = input.event;
  std::string made = std::to_string(input.seq) + "|" + std::to_string(input.at) + "|" +
                     label(event.operation) + "|" + to_hex(event.transaction.view()) + "|" +
                     std::to_string(event.fields);
  const auto text = [&](Bytes bytes) { made += "|" + to_hex(bytes); };
  const auto field = [&](Field which, const auto& value) {
    if (event.has(which)) text({reinterpret_cast<const uint8_t*>(&value), sizeof value});
  };
  const auto words = [&](Field which, std::string_view value) {
    if (event.has(which)) text(as_bytes(value));
  };
  text(as_bytes(event.caller.view()));
  field(Field::kInstitution, event.institution);
  field(Field::kSubject, event.subject);
  words(Field::kChannel, event.channel.view());
  words(Field::kScenario, event.scenario.view());
  words(Field::kDecision, label(event.decision));
  words(Field::kReason, label(event.reason));
  field(Field::kTargetFmr, event.target_fmr);
  words(Field::kModel, event.model.view());
  field(Field::kPolicyVersion, event.policy_version);
  field(Field::kSource, event.source);
  field(Field::kProbe, event.probe);
  field(Field::kReference, event.reference);
  field(Field::kAddress, event.address);
  field(Field::kDevice, event.device);
  words(Field::kBusinessId, event.business_id.view());
  field(Field::kElapsed, event.elapsed_us);
  field(Field::kXid, event.xid);
  field(Field::kSettles, event.settles);
  words(Field::kObject, event.object.view());
  field(Field::kBefore, event.before);
  field(Field::kAfter, event.after);
  words(Field::kNote, event.note.view());
  field(Field::kDetail, event.detail);
  field(Field::kSession, event.session);
  field(Field::kRequest, event.request);
  words(Field::kCapture, event.capture.view());
  text(input.head);
  return made;
}

TEST(AuditLeaf, IsReadBackAsItWas) {
  std::mt19937_64 random(71);
  for (int round = 0; round < 20000; ++round) {
    const Input input = random_input(random);
    const Buffer bytes = encoded(input);
    Input read;
    ASSERT_TRUE(LeafReader(bytes).read(read)) << to_hex(bytes);
    ASSERT_EQ(meaning(read), meaning(input));
  }
}

TEST(AuditLeaf, DifferentEventsDiffer) {
  std::mt19937_64 random(72);
  std::map<Buffer, std::string> seen;
  for (int round = 0; round < 20000; ++round) {
    Input input = random_input(random);
    // Few events, so that many come twice.
    input.event.fields &= 0x3C;
    input.event.transaction = {};
    input.seq = random() % 2;
    input.at = 0;
    input.head.clear();
    const auto [found, fresh] = seen.insert({encoded(input), meaning(input)});
    ASSERT_EQ(found->second, meaning(input));
  }
  EXPECT_LT(seen.size(), 19000u) << "the domain must be small enough for pairs";
}

Input full_input() {
  Input input;
  std::mt19937_64 random(73);
  input = random_input(random);
  input.event.fields = kAllFields;
  input.event.target_fmr = 1e-6;
  input.head = test::random_bytes(random, kHeadSize);
  for (auto* text : {&input.event.channel, &input.event.scenario, &input.event.caller}) text->set("abc");
  input.event.model.set("model/1");
  input.event.business_id.set("business");
  input.event.object.set("object");
  input.event.note.set("note");
  input.event.capture.set("capture");
  return input;
}

TEST(AuditLeaf, EveryFieldCounts) {
  const std::vector<std::function<void(Input&)>> changes = {
      [](Input& i) { ++i.seq; },
      [](Input& i) { ++i.at; },
      [](Input& i) { i.event.operation = Operation::kUnlock; },
      [](Input& i) { i.event.transaction.bytes[15] ^= 1; },
      [](Input& i) { i.event.caller.set("abd"); },
      [](Input& i) { ++i.event.institution; },
      [](Input& i) { i.event.subject.bytes[0] ^= 1; },
      [](Input& i) { i.event.channel.set("ab"); },
      [](Input& i) { i.event.scenario.set("abcd"); },
      [](Input& i) { i.event.decision = Decision::kReject; },
      [](Input& i) { i.event.reason = Reason::kInterrupted; },
      [](Input& i) { i.event.target_fmr = 1e-5; },
      [](Input& i) { i.event.model.set("model/2"); },
      [](Input& i) { ++i.event.policy_version; },
      [](Input& i) { i.event.source.bytes[7] ^= 1; },
      [](Input& i) { i.event.probe.bytes[7] ^= 1; },
      [](Input& i) { i.event.reference.bytes[7] ^= 1; },
      [](Input& i) { i.event.address[0] ^= 1; },
      [](Input& i) { i.event.device[15] ^= 1; },
      [](Input& i) { i.event.business_id.set(""); },
      [](Input& i) { ++i.event.elapsed_us; },
      [](Input& i) { ++i.event.xid; },
      [](Input& i) { ++i.event.settles; },
      [](Input& i) { i.event.object.set("objecu"); },
      [](Input& i) { i.event.before[31] ^= 1; },
      [](Input& i) { i.event.after[0] ^= 1; },
      [](Input& i) { i.event.note.set("nota"); },
      [](Input& i) { i.event.detail[16] ^= 1; },
      [](Input& i) { i.event.session.bytes[0] ^= 1; },
      [](Input& i) { i.event.request[0] ^= 1; },
      [](Input& i) { i.event.capture.set("captura"); },
      [](Input& i) { i.head[0] ^= 1; },
      [](Input& i) { i.head.clear(); },
  };
  Input base = full_input();
  base.event.operation = Operation::kVerify;
  base.event.decision = Decision::kAccept;
  base.event.reason = Reason::kOk;
  std::map<Buffer, size_t> seen = {{encoded(base), 0}};
  for (const auto& change : changes) {
    Input changed = base;
    change(changed);
    EXPECT_TRUE(seen.insert({encoded(changed), seen.size()}).second) << "change " << seen.size();
  }
  for (uint32_t bit = 0; bit < 26; ++bit) {
    Input changed = base;
    changed.event.fields ^= 1u << bit;
    EXPECT_TRUE(seen.insert({encoded(changed), seen.size()}).second) << "field " << bit;
  }
}

// What a field holds that the event does not have is memory left over from the last event.
TEST(AuditLeaf, AbsentFieldsSayNothing) {
  std::mt19937_64 random(74);
  Input input = full_input();
  input.event.fields = 0;
  const Buffer bytes = encoded(input);
  EXPECT_EQ(bytes.size(),
            1 + 8 + 8 + 1 + std::strlen(label(input.event.operation)) + 16 + 2 + 3 + 4 + 1 + kHeadSize);
  Input other = random_input(random);
  other.event.fields = 0;
  other.event.operation = input.event.operation;
  other.event.transaction = input.event.transaction;
  other.event.caller = input.event.caller;
  other.event.decision = Decision::kNone;
  other.event.reason = static_cast<Reason>(200);
  other.event.channel.size = 9999;
  other.event.note.size = 9999;
  other.seq = input.seq;
  other.at = input.at;
  other.head = input.head;
  EXPECT_EQ(to_hex(encoded(other)), to_hex(bytes));
}

TEST(AuditLeaf, LargestFits) {
  Input input = full_input();
  const std::string letters(1000, 'x');
  EventRecord& event = input.event;
  event.operation = Operation::kRotateLedgerKey;
  event.reason = Reason::kUnknownReference;
  for (auto* text : {&event.channel, &event.scenario, &event.caller}) text->set(letters);
  event.model.set(letters);
  event.business_id.set(letters);
  event.object.set(letters);
  event.note.set(letters);
  event.capture.set(letters);
  EXPECT_EQ(event.note.size, kMaxNoteLength) << "cut";
  const Buffer bytes = encoded(input);
  EXPECT_LE(bytes.size(), kMaxLeafSize);
  uint8_t out[kMaxLeafSize];
  size_t size;
  for (size_t room = 0; room < bytes.size(); room += 7)
    ASSERT_EQ(encode_leaf(event, 1, 1, input.head, {out, room}, size).code, Code::kInternal);
}

TEST(AuditLeaf, RefusesWhatIsOutOfRange) {
  const Input good = full_input();
  const std::vector<std::function<void(Input&)>> faults = {
      [](Input& i) { i.event.operation = Operation::kCount; },
      [](Input& i) { i.event.operation = static_cast<Operation>(255); },
      [](Input& i) { i.event.decision = Decision::kNone; },
      [](Input& i) { i.event.decision = Decision::kCount; },
      [](Input& i) { i.event.reason = Reason::kNone; },
      [](Input& i) { i.event.reason = Reason::kCount; },
      [](Input& i) { i.event.fields |= 1u << 26; },
      [](Input& i) { i.event.fields |= 1u << 31; },
      [](Input& i) { i.event.caller.size = kMaxNameLength + 1; },
      [](Input& i) { i.event.channel.size = kMaxNameLength + 1; },
      [](Input& i) { i.event.scenario.size = kMaxNameLength + 1; },
      [](Input& i) { i.event.model.size = kMaxModelLength + 1; },
      [](Input& i) { i.event.business_id.size = kMaxBusinessIdLength + 1; },
      [](Input& i) { i.event.object.size = kMaxObjectLength + 1; },
      [](Input& i) { i.event.note.size = 65535; },
      [](Input& i) { i.event.capture.size = kMaxCaptureLength + 1; },
      [](Input& i) { i.head.pop_back(); },
      [](Input& i) { i.head.push_back(0); },
  };
  Buffer out;
  EXPECT_OK(encode(good, out));
  for (size_t i = 0; i < faults.size(); ++i) {
    Input input = good;
    faults[i](input);
    EXPECT_EQ(encode(input, out).code, Code::kInvalidArgument) << i;
  }
}

TEST(AuditLabels, ComeBack) {
  const auto check = [](auto first, auto find) {
    using Enum = decltype(first);
    for (auto i = static_cast<uint8_t>(first); i < static_cast<uint8_t>(Enum::kCount); ++i) {
      const char* const text = label(static_cast<Enum>(i));
      Enum found = Enum::kCount;
      ASSERT_NE(*text, '\0') << int{i};
      ASSERT_TRUE(find(text, found)) << text;
      EXPECT_EQ(found, static_cast<Enum>(i)) << text;
    }
    EXPECT_STREQ(label(Enum::kCount), "");
    EXPECT_STREQ(label(static_cast<Enum>(255)), "");
    Enum untouched = Enum::kCount;
    for (const char* text : {"", "none", "Register", "ok", "accept "})
      EXPECT_FALSE(find(text, untouched)) << text;
    EXPECT_EQ(untouched, Enum::kCount);
  };
  check(Operation::kRegister, find_operation);
  check(Decision::kAccept, find_decision);
  check(Reason::kOk, find_reason);
  EXPECT_STREQ(label(Decision::kNone), "");
  EXPECT_STREQ(label(Reason::kNone), "");
  EXPECT_STREQ(label(Operation::kRotateLedgerKey), "rotate_ledger_key");
  EXPECT_STREQ(label(Decision::kRefuse), "refuse");
  EXPECT_STREQ(label(Reason::kInterrupted), "INTERRUPTED");
  EXPECT_STREQ(label(Operation::kRestore), "restore");
  EXPECT_STREQ(label(Reason::kNotEntitled), "NOT_ENTITLED");
}

}  // namespace
}  // namespace visage::audit
