// Sealed frames.   [8.2.3b, 6.1.2a]
#include <gtest/gtest.h>

#include <cstring>

#include "sidecar/liveness/frame.h"

namespace visage::liveness {
namespace {

using Buffer = std::vector<uint8_t>;

Buffer from_hex(std::string_view text) {
  Buffer out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return out;
}

struct FrameTest : testing::Test {
  std::unique_ptr<crypto::Engine> engine{crypto::Engine::create()};
  std::unique_ptr<FrameKeyPair> page = FrameKeyPair::create(), daemon = FrameKeyPair::create();
  Buffer nonce = Buffer(32, 7);
  FrameKey key;

  void SetUp() override {
    ASSERT_TRUE(engine && page && daemon);
    ASSERT_TRUE(agree(*page, *daemon, nonce, key).ok());
  }
  Status agree(const FrameKeyPair& own, const FrameKeyPair& other, Bytes salt, FrameKey& out) {
    return own.agree(*engine, other.point(), page->point(), daemon->point(), salt, out);
  }
  FrameHeader header(uint16_t index, uint16_t count) {
    FrameHeader out;
    out.index = index;
    out.count = count;
    out.time_us = 1000 * index;
    std::copy(nonce.begin(), nonce.end(), out.session_nonce);
    return out;
  }
  Buffer seal(const FrameHeader& h, std::string_view content) {
    Buffer out(sealed_frame_size(content.size()));
    EXPECT_TRUE(seal_frame(*engine, key, h, as_bytes(content), out).ok());
    return out;
  }
  Code open(Bytes sealed, const FrameKey& with) {
    FrameHeader h;
    capture::WipedVector<uint8_t> content;
    return open_frame(*engine, with, sealed, h, content).code;
  }
};

TEST_F(FrameTest, BothSidesAgreeAndOthersDoNot) {
  FrameKey theirs, other_session, stranger;
  ASSERT_TRUE(agree(*daemon, *page, nonce, theirs).ok());
  EXPECT_EQ(std::memcmp(key.value.bytes, theirs.value.bytes, kFrameKeySize), 0);
  ASSERT_TRUE(agree(*daemon, *page, Buffer(32, 8), other_session).ok());
  EXPECT_NE(std::memcmp(key.value.bytes, other_session.value.bytes, kFrameKeySize), 0);
  ASSERT_TRUE(agree(*FrameKeyPair::create(), *daemon, nonce, stranger).ok());
  EXPECT_NE(std::memcmp(key.value.bytes, stranger.value.bytes, kFrameKeySize), 0);
}

TEST_F(FrameTest, WhatIsSealedOpensAndNothingElse) {
  const Buffer sealed = seal(header(0, 1), "a picture");
  FrameHeader h;
  capture::WipedVector<uint8_t> content;
  ASSERT_TRUE(open_frame(*engine, key, sealed, h, content).ok());
  EXPECT_EQ(std::string(content.begin(), content.end()), "a picture");
  EXPECT_EQ(h.count, 1);
  for (size_t i = 0; i < sealed.size(); ++i) {
    Buffer changed = sealed;
    changed[i] ^= 1;
    EXPECT_NE(open(changed, key), Code::kOk) << "byte " << i;
  }
  for (size_t size = 0; size < sealed.size(); ++size)
    EXPECT_NE(open(Bytes(sealed).first(size), key), Code::kOk) << size;
  FrameKey other;
  ASSERT_TRUE(agree(*FrameKeyPair::create(), *daemon, nonce, other).ok());
  EXPECT_EQ(open(sealed, other), Code::kAuthenticationFailed);
}

TEST_F(FrameTest, TheSameFrameIsNeverSealedAlike) {
  EXPECT_NE(seal(header(0, 1), "a picture"), seal(header(0, 1), "a picture"));
}

TEST_F(FrameTest, PointsOffTheCurveAreRefused) {
  PublicPoint bad = page->point();
  bad[40] ^= 1;
  FrameKey out;
  EXPECT_EQ(daemon->agree(*engine, bad, bad, daemon->point(), nonce, out).code, Code::kMalformed);
  bad.fill(0);
  EXPECT_EQ(daemon->agree(*engine, bad, bad, daemon->point(), nonce, out).code, Code::kMalformed);
  EXPECT_EQ(daemon->agree(*engine, Bytes(bad).first(33), bad, daemon->point(), nonce, out).code,
            Code::kMalformed);
}

TEST_F(FrameTest, ASequenceIsWholeOrderedAndOfOneSession) {
  std::vector<FrameHeader> good;
  for (uint16_t i = 0; i < 4; ++i) good.push_back(header(i, 4));
  EXPECT_TRUE(check_sequence(good, nonce, 4).ok());
  auto frames = good;
  frames.pop_back();
  EXPECT_FALSE(check_sequence(frames, nonce, frames.size()).ok()) << "one is missing";
  frames = good;
  std::swap(frames[1], frames[2]);
  EXPECT_FALSE(check_sequence(frames, nonce, frames.size()).ok()) << "out of order";
  frames = good;
  frames[2] = frames[1];
  EXPECT_FALSE(check_sequence(frames, nonce, frames.size()).ok()) << "one twice";
  frames = good;
  frames[3].time_us = frames[2].time_us;
  EXPECT_FALSE(check_sequence(frames, nonce, frames.size()).ok()) << "time stands";
  EXPECT_EQ(check_sequence(good, Buffer(32, 9), 4).code, Code::kAuthenticationFailed);
  EXPECT_FALSE(check_sequence({}, nonce, 0).ok());
}

TEST_F(FrameTest, FramesThatComeOneByOneHaveAnEnd) {
  std::vector<FrameHeader> good;
  for (uint16_t i = 0; i < 4; ++i) good.push_back(header(i, kNotCounted));
  EXPECT_TRUE(check_sequence(good, nonce, kNotCounted).ok());
  EXPECT_FALSE(check_sequence(good, nonce, 4).ok()) << "a bundle says how many";
  FrameHeader end = header(4, 4);
  EXPECT_FALSE(check_end(end, nonce, 4).ok()) << "a picture is no end";
  end.kind = FrameKind::kEnd;
  EXPECT_TRUE(check_end(end, nonce, 4).ok());
  EXPECT_FALSE(check_end(end, nonce, 3).ok()) << "the last one is missing";
  EXPECT_FALSE(check_end(end, nonce, 5).ok()) << "one too many";
  EXPECT_EQ(check_end(end, Buffer(32, 9), 4).code, Code::kAuthenticationFailed);
  end.index = end.count = 0;
  EXPECT_FALSE(check_end(end, nonce, 0).ok()) << "nothing";
  good.push_back(header(4, kNotCounted));
  good.back().kind = FrameKind::kEnd;
  EXPECT_FALSE(check_sequence(good, nonce, kNotCounted).ok()) << "an end is no frame";
  good.assign(1, good.back());
  good[0].index = 0;
  EXPECT_FALSE(check_sequence(good, nonce, kNotCounted).ok());
  good.clear();
  for (uint16_t i = 0; i <= kMaxFrames; ++i) good.push_back(header(i, kNotCounted));
  EXPECT_FALSE(check_sequence(good, nonce, kNotCounted).ok()) << "without end";
}

// Made by WebCrypto: frame_vector.mjs.
TEST_F(FrameTest, WebCryptoMakesTheSame) {
  const auto own = FrameKeyPair::from_private(
      from_hex("c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53"));
  const auto theirs = FrameKeyPair::from_private(
      from_hex("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433"));
  ASSERT_TRUE(own && theirs);
  for (uint8_t i = 0; i < 32; ++i) nonce[i] = static_cast<uint8_t>(i + 1);
  FrameKey agreed;
  ASSERT_TRUE(own->agree(*engine, theirs->point(), theirs->point(), own->point(), nonce, agreed).ok());
  const Buffer wanted = from_hex("345e7643f8f186e9809c6ac48d4ded68a43de5564918f84a95eb68b8cb8efae5");
  EXPECT_EQ(Buffer(agreed.value.bytes, agreed.value.bytes + kFrameKeySize), wanted);
  const Buffer sealed = from_hex(
      "5653463101030000000001000000000087d61200000000000102030405060708090a0b0c0d0e0f101112131415161718191a1b"
      "1c1d1e1f206465666768696a6b6c6d6e6fda2a65aca7351da12eb326295b735ef9adb2b2698fd7f24b23");
  FrameHeader h;
  capture::WipedVector<uint8_t> content;
  ASSERT_TRUE(open_frame(*engine, agreed, sealed, h, content).ok());
  EXPECT_EQ(std::string(content.begin(), content.end()), "a picture");
  EXPECT_EQ(h.light_step, 3);
  EXPECT_EQ(h.time_us, 1234567);
  EXPECT_TRUE(check_sequence({&h, 1}, nonce, 1).ok());
}

}  // namespace
}  // namespace visage::liveness
