// Byte readers and writers, secrets, statuses.
#include <gtest/gtest.h>

#include <new>

#include "core/base/bytes.h"
#include "core/base/secret.h"
#include "core/base/status.h"
#include "support.h"

namespace visage {
namespace {

TEST(BaseReader, ReadsLittleEndianAndStopsAtItsEnd) {
  const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};
  Reader reader(bytes);
  EXPECT_EQ(reader.number<uint32_t>(), 0x04030201u);
  EXPECT_EQ(reader.number<uint16_t>(), 0x0605u);
  EXPECT_EQ(reader.remaining(), 1u);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.number<uint16_t>(), 0u) << "a failed read yields zero, not the byte that was left";
  EXPECT_FALSE(reader.ok());
}

TEST(BaseReader, AFailureIsLatched) {
  const uint8_t bytes[] = {0x01, 0x02, 0x03};
  Reader reader(bytes);
  EXPECT_TRUE(reader.take(4).empty());
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.number<uint8_t>(), 0u) << "three bytes are left, but the reader has failed";
  EXPECT_FALSE(reader.ok());
}

TEST(BaseReader, RefusesSizesThatWouldOverflow) {
  const uint8_t bytes[8] = {};
  Reader reader(bytes);
  reader.take(4);
  EXPECT_TRUE(reader.take(SIZE_MAX).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(BaseWriter, NeverWritesPastItsEnd) {
  uint8_t bytes[8];
  std::memset(bytes, 0xEE, sizeof bytes);
  Writer writer({bytes, 6});
  writer.number(uint32_t{0x04030201});
  EXPECT_EQ(writer.position(), 4u);
  writer.number(uint32_t{0xFFFFFFFF});
  EXPECT_FALSE(writer.ok());
  writer.number(uint8_t{0xFF});
  EXPECT_TRUE(writer.written().empty()) << "what a failed writer wrote is not handed out";
  EXPECT_EQ(test::to_hex(bytes), "01020304eeeeeeee");
}

TEST(BaseWriter, FillsItsSpanExactly) {
  uint8_t bytes[4];
  Writer writer(bytes);
  writer.number(uint32_t{7});
  writer.bytes({});
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(writer.written().size(), 4u);
}

// [8.1.4a] residual information: a secret leaves nothing behind.
TEST(BaseSecret, DestructorWipes) {
  using Key = Secret<KeyBytes<32>>;
  alignas(Key) uint8_t memory[sizeof(Key)];
  std::memset(memory, 0x5A, sizeof memory);
  Key* key = new (memory) Key;
  std::memset(key->value.bytes, 0xC3, 32);
  key->~Key();
  // Read through volatile: the optimiser may take the object's memory for dead after its destructor.
  const volatile uint8_t* after = memory;
  for (size_t i = 0; i < sizeof memory; ++i) ASSERT_EQ(after[i], 0) << "byte " << i;
}

TEST(BaseSecret, CannotBeCopied) {
  using Key = Secret<KeyBytes<32>>;
  EXPECT_FALSE(std::is_copy_constructible_v<Key>);
  EXPECT_FALSE(std::is_copy_assignable_v<Key>);
  EXPECT_FALSE(std::is_move_constructible_v<Key>);
}

// Types that the PostgreSQL layer may hold when it leaves a frame by longjmp.
static_assert(std::is_trivially_destructible_v<Status>);
static_assert(std::is_trivially_copyable_v<Status>);
static_assert(std::is_trivially_destructible_v<probe::Contents>);
static_assert(std::is_trivially_destructible_v<probe::Header>);
static_assert(std::is_trivially_destructible_v<reference::Header>);
static_assert(std::is_trivially_destructible_v<keys::KeyRing>);

TEST(BaseStatus, LongMessagesAreCutNotOverrun) {
  const std::string text(1000, 'x');
  const Status status = Status::error(Code::kMalformed, "%s", text.c_str());
  EXPECT_EQ(std::strlen(status.message), sizeof status.message - 1);
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(Status().ok());
}

}  // namespace
}  // namespace visage
