// Tree heads as notes: C2SP signed-note and tlog-checkpoint.
#include "core/audit/note.h"

#include "core/audit/signed_note.h"
#include "core/base/base64.h"
#include "support.h"

namespace visage::audit {
namespace {

using test::Buffer;

const std::string kDash = "\xE2\x80\x94 ";
const std::string kOrigin = "ledger.example/bank";

std::string base64_of(Bytes bytes) {
  std::string text(base64_size(bytes.size()), ' ');
  encode_base64(bytes, text.data());
  return text;
}

struct Signer {
  explicit Signer(uint8_t fill, std::string name = kOrigin) : name(std::move(name)) {
    std::memset(seed.seed, fill, sizeof seed.seed);
    EXPECT_OK(crypto::public_key(seed, key));
  }
  // Key id and signature.
  Buffer signature(const std::string& text) const {
    Buffer made(kKeyIdSize + kSignatureSize);
    key_id(name, key, made.data());
    EXPECT_OK(crypto::sign(seed, as_bytes(text), made.data() + kKeyIdSize));
    return made;
  }
  std::string line(const std::string& text) const {
    return kDash + name + " " + base64_of(signature(text)) + "\n";
  }
  std::string note(const std::string& text) const { return text + "\n" + line(text); }

  std::string name;
  crypto::SigningKey seed;
  crypto::VerifyingKey key;
};

const Signer& ours() {
  static const Signer made(1);
  return made;
}

Checkpoint checkpoint(uint64_t size = 20852163) {
  Checkpoint made = {};
  made.origin.set(kOrigin);
  made.size = size;
  for (size_t i = 0; i < kHashSize; ++i) made.root.bytes[i] = static_cast<uint8_t>(i * 9);
  return made;
}

std::string text_of(const Checkpoint& head) {
  uint8_t out[kMaxNoteSize];
  size_t size = 0;
  EXPECT_OK(checkpoint_text(head, out, size));
  return {reinterpret_cast<const char*>(out), size};
}

std::string note_of(const Checkpoint& head) {
  uint8_t signature[kSignatureSize], out[kMaxNoteSize];
  size_t size = 0;
  EXPECT_OK(sign_checkpoint(head, ours().seed, signature));
  EXPECT_OK(verify_checkpoint(head, ours().key, signature));
  EXPECT_OK(format_note(head, ours().key, signature, out, size));
  return {reinterpret_cast<const char*>(out), size};
}

Code parsed(std::string_view note) {
  Checkpoint head;
  return parse_note(note, ours().key, kOrigin, head).code;
}
Code parsed_text(const std::string& text) {
  return parsed(ours().note(text));
}

// The vector of Go's sumdb note package.
TEST(AuditNote, PublishedNote) {
  crypto::VerifyingKey key;
  uint8_t typed[36];
  size_t size;
  ASSERT_OK(decode_base64("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", typed, size));
  ASSERT_EQ(size, 33u);
  std::memcpy(key.bytes, typed + 1, sizeof key.bytes);
  const std::string text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const std::string note =
      text + "\n" + kDash +
      "PeterNeumann "
      "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
  std::string_view opened;
  ASSERT_OK(open_signed_note(note, "PeterNeumann", key, opened));
  EXPECT_EQ(opened, text);
  std::string_view untouched = "before";
  EXPECT_EQ(open_signed_note("I" + note, "PeterNeumann", key, untouched).code, Code::kAuthenticationFailed);
  EXPECT_EQ(open_signed_note(note, "PeterNeuman", key, untouched).code, Code::kKeyMissing);
  EXPECT_EQ(untouched, "before");

  Buffer out(kMaxNoteSize);
  ASSERT_OK(format_verifier_key("PeterNeumann", key, out, size));
  EXPECT_EQ(std::string(out.begin(), out.begin() + static_cast<long>(size)),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
}

TEST(AuditNote, IsTheTextOfTheSpecification) {
  const Checkpoint head = checkpoint();
  const std::string text = kOrigin + "\n20852163\n" + base64_of(head.root.view()) + "\n";
  EXPECT_EQ(text_of(head), text);
  EXPECT_EQ(note_of(head), ours().note(text));
  EXPECT_EQ(text_of(checkpoint(0)), kOrigin + "\n0\n" + base64_of(head.root.view()) + "\n");
}

TEST(AuditNote, ComesBack) {
  for (uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{10}, uint64_t{20852163}, kMaxTreeSize}) {
    const Checkpoint head = checkpoint(size);
    Checkpoint read = {};
    ASSERT_OK(parse_note(note_of(head), ours().key, kOrigin, read));
    EXPECT_EQ(read.origin.view(), kOrigin);
    EXPECT_EQ(read.size, size);
    EXPECT_EQ(read.root, head.root);
  }
}

TEST(AuditNote, LongestFits) {
  Checkpoint head = checkpoint(kMaxTreeSize);
  const std::string name(kMaxOriginLength, 'o');
  head.origin.set(name);
  uint8_t signature[kSignatureSize], out[kMaxNoteSize];
  size_t size = 0;
  ASSERT_OK(sign_checkpoint(head, ours().seed, signature));
  ASSERT_OK(format_note(head, ours().key, signature, out, size));
  Checkpoint read;
  EXPECT_OK(parse_note({reinterpret_cast<const char*>(out), size}, ours().key, name, read));
  for (size_t room = 0; room < size; room += 5)
    ASSERT_EQ(format_note(head, ours().key, signature, {out, room}, size).code, Code::kInternal);
}

TEST(AuditNote, EveryBitCounts) {
  const std::string note = note_of(checkpoint());
  for (size_t bit = 0; bit < note.size() * 8; ++bit) {
    std::string changed = note;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    Checkpoint read;
    std::memset(&read, 0xEE, sizeof read);
    ASSERT_FALSE(parse_note(changed, ours().key, kOrigin, read).ok()) << bit;
    ASSERT_EQ(read.size, 0xEEEEEEEEEEEEEEEE);
  }
  for (size_t size = 0; size < note.size(); ++size)
    ASSERT_NE(parsed(note.substr(0, size)), Code::kOk) << size;
}

TEST(AuditNote, SignaturesOfOthersAreIgnored) {
  const std::string text = text_of(checkpoint()), own = ours().line(text);
  const Signer witness(2, "witness.example/w1"), namesake(3);
  // Another algorithm's signature is long, and its line is no business of ours; nor is one under our key id
  // and another name.
  Buffer large(4 + 4627, 0x5A);
  Buffer impostor = ours().signature(text);
  impostor.back() ^= 1;
  const std::string others = witness.line(text) + namesake.line(text) + witness.line("something else\n") +
                             kDash + "\xC3\xA9tranger.example " + base64_of(large) + "\n" + kDash +
                             "a.example " + base64_of(impostor) + "\n" + kDash + "b.example " +
                             base64_of(Buffer(5, 0)) + "\n";
  EXPECT_EQ(parsed(text + "\n" + own + others), Code::kOk);
  EXPECT_EQ(parsed(text + "\n" + others + own), Code::kOk);
  EXPECT_EQ(parsed(text + "\n" + others), Code::kKeyMissing);
  std::string many;
  for (int i = 0; i < 200; ++i) many += witness.line(text);
  EXPECT_EQ(parsed(text + "\n" + many + own), Code::kOk);
}

TEST(AuditNote, OurOwnLineIsThereOnce) {
  const std::string text = text_of(checkpoint()), own = ours().line(text);
  EXPECT_EQ(parsed(text + "\n" + own + own), Code::kMalformed);
  Buffer wrong = ours().signature(text);
  wrong[10] ^= 1;
  EXPECT_EQ(parsed(text + "\n" + kDash + kOrigin + " " + base64_of(wrong) + "\n"),
            Code::kAuthenticationFailed);
  for (size_t size : {5u, 67u, 69u}) {
    Buffer other = ours().signature(text);
    other.resize(size);
    EXPECT_EQ(parsed(text + "\n" + kDash + kOrigin + " " + base64_of(other) + "\n"),
              Code::kAuthenticationFailed)
        << size;
  }
}

TEST(AuditNote, RefusesBrokenStructure) {
  const std::string text = text_of(checkpoint()), own = ours().line(text), note = text + "\n" + own;
  const std::string b64 = base64_of(ours().signature(text));
  ASSERT_EQ(parsed(note), Code::kOk);
  for (const std::string& broken :
       {std::string(),
        std::string("\n"),
        std::string("\n\n"),
        text,
        text + own,
        text + "\n",
        note + "\n",
        note + "garbage\n",
        text + "\ngarbage\n" + own,
        text + "\n" + own.substr(0, own.size() - 1),
        text + "\n- " + kOrigin + " " + b64 + "\n",             // a hyphen
        text + "\n\xE2\x80\x93 " + kOrigin + " " + b64 + "\n",  // an en dash
        text + "\n\xE2\x80\x94" + kOrigin + " " + b64 + "\n",   // no space
        text + "\n" + kDash + kOrigin + "\n",
        text + "\n" + kDash + kOrigin + " \n",
        text + "\n" + kDash + " " + b64 + "\n",
        text + "\n" + kDash + kOrigin + "  " + b64 + "\n",
        text + "\n" + kDash + kOrigin + " " + b64 + " \n",
        text + "\n" + kDash + kOrigin + " " + b64 + " x\n",
        text + "\n" + kDash + "a+b " + b64 + "\n" + own,  // names that are none
        text + "\n" + kDash +
            "a\xC2\xA0"
            "b " +
            b64 + "\n" + own,
        text + "\n" + kDash + "a\xE2\x80\xA8 " + b64 + "\n" + own,
        text + "\n" + kDash + "w.example AAAA\n" + own,      // too short for a key id
        text + "\n" + kDash + "w.example AAAAAA==\n" + own,  // a key id and nothing else
        text + "\n" + kDash + "w.example A-_AAAAA\n" + own,  // the other alphabet
        text + "\n" + kDash + "w.example AAAAAAB=\n" + own,  // unused bits
        text + "\n" + kDash + "w.example " + std::string(62, 'A') + "==" + std::string(8, 'A') + "\n" + own,
        note + "\r\n",
        "\t" + note,
        std::string(1, '\0') + note,
        "\x1B" + note,
        "\xFF" + note,
        std::string("\xC0\x8A") + note})
    EXPECT_EQ(parsed(broken), Code::kMalformed) << broken;
  std::string large = note;
  while (large.size() <= kMaxForeignNote) large += Signer(2, "w.example").line(text);
  EXPECT_EQ(parsed(large), Code::kMalformed);
}

// Signed by us all the same: what is refused is refused for what it says.
TEST(AuditNote, RefusesWhatIsNoTreeHead) {
  const std::string root = base64_of(checkpoint().root.view()), good = kOrigin + "\n7\n" + root + "\n";
  ASSERT_EQ(parsed_text(good), Code::kOk);
  EXPECT_EQ(parsed_text(good + "extension 1\nextension 2\n"), Code::kOk);
  EXPECT_EQ(parsed_text(kOrigin + "\n9223372036854775807\n" + root + "\n"), Code::kOk);
  for (const std::string size :
       {"", "07", "00", "-1", "+7", " 7", "7 ", "7.0", "0x7", "seven", "9223372036854775808",
        "18446744073709551615", "18446744073709551616", "99999999999999999999999", "\xD9\xA7"})
    EXPECT_EQ(parsed_text(kOrigin + "\n" + size + "\n" + root + "\n"), Code::kMalformed) << size;
  for (const std::string& hash :
       {std::string(), root + " ", " " + root, root.substr(4), root + "AAAA", root.substr(0, 43),
        base64_of(Buffer(33, 1)), base64_of(Buffer(31, 1)), std::string(44, '=')})
    EXPECT_EQ(parsed_text(kOrigin + "\n7\n" + hash + "\n"), Code::kMalformed) << hash;
  EXPECT_EQ(parsed_text("\n" + good), Code::kMalformed);
  EXPECT_EQ(parsed_text("\n"), Code::kMalformed);
  EXPECT_EQ(parsed_text(kOrigin + "\n7\n"), Code::kMalformed);
  EXPECT_EQ(parsed_text(good + "\n"), Code::kMalformed) << "an empty extension line";
  EXPECT_EQ(parsed_text(good + "a\n\nb\n"), Code::kMalformed);
  EXPECT_EQ(parsed_text("an origin\n7\n" + root + "\n"), Code::kMalformed);
  EXPECT_EQ(parsed_text("other.example\n7\n" + root + "\n"), Code::kAuthenticationFailed) << "another ledger";
}

TEST(AuditNote, OriginsAreKeyNames) {
  for (const std::string& name : {std::string("a"), kOrigin,
                                  std::string("b\xC3\xBC"
                                              "cher.example"),
                                  std::string(255, 'a')})
    EXPECT_TRUE(valid_origin(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a+b"), std::string("a\nb"), std::string("a\tb"),
        std::string("a\0b", 3), std::string("a\x7F"), std::string("a\xC2\x85"), std::string("a\xC2\x9F"),
        std::string("a\xC2\xA0"), std::string("\xE3\x80\x80"), std::string("a\xE2\x80\x89"),
        std::string("a\xFF"), std::string(256, 'a')}) {
    EXPECT_FALSE(valid_origin(name)) << name;
    Checkpoint head = checkpoint();
    head.origin.set(name);
    if (name.size() > kMaxOriginLength) head.origin.size = kMaxOriginLength + 1;
    uint8_t out[kMaxNoteSize];
    size_t size;
    EXPECT_EQ(checkpoint_text(head, out, size).code, Code::kInvalidArgument) << name;
    EXPECT_EQ(sign_checkpoint(head, ours().seed, out).code, Code::kInvalidArgument);
    EXPECT_EQ(format_verifier_key(name, ours().key, out, size).code, Code::kInvalidArgument);
    EXPECT_EQ(parse_note(note_of(checkpoint()), ours().key, name, head).code, Code::kInvalidArgument);
  }
  Checkpoint head = checkpoint(kMaxTreeSize + 1);
  uint8_t out[kMaxNoteSize];
  size_t size;
  EXPECT_EQ(checkpoint_text(head, out, size).code, Code::kInvalidArgument);
}

// A signature holds for its origin, size and root together, under its key.
TEST(AuditNote, SignatureIsOfTheWholeHead) {
  const Checkpoint head = checkpoint();
  uint8_t signature[kSignatureSize];
  ASSERT_OK(sign_checkpoint(head, ours().seed, signature));
  EXPECT_OK(verify_checkpoint(head, ours().key, signature));
  Checkpoint changed = head;
  changed.size ^= 1;
  EXPECT_EQ(verify_checkpoint(changed, ours().key, signature).code, Code::kAuthenticationFailed);
  changed = head;
  changed.root.bytes[31] ^= 1;
  EXPECT_EQ(verify_checkpoint(changed, ours().key, signature).code, Code::kAuthenticationFailed);
  changed = head;
  changed.origin.set("ledger.example/bani");
  EXPECT_EQ(verify_checkpoint(changed, ours().key, signature).code, Code::kAuthenticationFailed);
  EXPECT_EQ(verify_checkpoint(head, Signer(2).key, signature).code, Code::kAuthenticationFailed);
}

}  // namespace
}  // namespace visage::audit
