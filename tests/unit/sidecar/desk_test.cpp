// What visaged keeps between two requests: captures that are under way, ID photos, keys of pages.
#include <gtest/gtest.h>

#include "sidecar/flow/capture_desk.h"
#include "sidecar/flow/frame_desk.h"
#include "sidecar/flow/photo_desk.h"

namespace visage::sidecar {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto kNow = std::chrono::steady_clock::time_point(std::chrono::hours(1));

liveness::PublicPoint page(uint8_t number) {
  liveness::PublicPoint out{};
  out[0] = 4;
  out[1] = number;
  return out;
}

std::string session(size_t number) {
  return "session-" + std::to_string(number);
}

// [8.2.3b] Another page's key finds nothing, and what another page begins takes the place of the first.
TEST(CaptureDesk, ASessionHasOneCaptureOfOnePage) {
  CaptureDesk desk;
  EXPECT_EQ(desk.find("a", page(1), kNow), nullptr);
  const auto first = desk.begin("a", page(1), kNow);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(desk.find("a", page(1), kNow), first);
  EXPECT_EQ(desk.find("a", page(2), kNow), nullptr);
  EXPECT_EQ(desk.find("b", page(1), kNow), nullptr);
  const auto second = desk.begin("a", page(2), kNow);
  EXPECT_EQ(desk.find("a", page(1), kNow), nullptr);
  EXPECT_EQ(desk.find("a", page(2), kNow), second);
  EXPECT_EQ(desk.size(kNow), 1u);
  desk.drop("a", *first);
  EXPECT_EQ(desk.find("a", page(2), kNow), second) << "not the one that was meant";
  desk.drop("a", *second);
  EXPECT_EQ(desk.find("a", page(2), kNow), nullptr);
  desk.begin("a", page(3), kNow);
  desk.drop("a");
  EXPECT_EQ(desk.size(kNow), 0u);
}

// [8.2.2g] What nobody goes on with is gone after a while, whether or not somebody asks for it.
TEST(CaptureDesk, ForgetsWhatTakesTooLong) {
  CaptureDesk desk;
  std::weak_ptr<CaptureUnderWay> first = desk.begin("a", page(1), kNow);
  EXPECT_NE(desk.find("a", page(1), kNow + CaptureDesk::kLongest - seconds(1)), nullptr);
  EXPECT_FALSE(first.expired());
  desk.forget_old(kNow + CaptureDesk::kLongest);
  EXPECT_TRUE(first.expired());
  EXPECT_EQ(desk.size(kNow), 0u);
}

TEST(CaptureDesk, IsBounded) {
  CaptureDesk desk;
  for (size_t i = 0; i < CaptureDesk::kMost; ++i) {
    ASSERT_TRUE(desk.has_room(session(i), kNow)) << i;
    desk.begin(session(i), page(1), kNow);
  }
  EXPECT_EQ(desk.size(kNow), CaptureDesk::kMost);
  EXPECT_FALSE(desk.has_room("one more", kNow));
  EXPECT_TRUE(desk.has_room(session(0), kNow)) << "in place of its own";
  EXPECT_TRUE(desk.has_room("one more", kNow + CaptureDesk::kLongest));
}

// [B.1] [8.2.3c] A full desk turns a photo away; it drops nobody else's.
TEST(PhotoDesk, IsBounded) {
  PhotoDesk desk;
  const auto photo = std::make_shared<KeptPhoto>();
  const auto until = kNow + minutes(10);
  for (size_t i = 0; i < PhotoDesk::kMost; ++i) ASSERT_TRUE(desk.keep(session(i), photo, until, kNow)) << i;
  EXPECT_EQ(desk.size(kNow), 2000u);
  EXPECT_FALSE(desk.keep("one more", photo, until, kNow));
  EXPECT_EQ(desk.find("one more", kNow), nullptr);
  EXPECT_EQ(desk.find(session(0), kNow), photo);
  EXPECT_TRUE(desk.keep(session(0), std::make_shared<KeptPhoto>(), until, kNow)) << "in place of its own";
  EXPECT_NE(desk.find(session(0), kNow), photo);
  desk.drop(session(1));
  EXPECT_TRUE(desk.keep("one more", photo, until, kNow));
  EXPECT_EQ(desk.size(until), 0u) << "their time is over";
  EXPECT_TRUE(desk.keep("after that", photo, until + minutes(1), until));
}

// [8.2.3b] A page's key is of one capture for as long as the daemon's key that it was agreed with opens
// anything.
TEST(FrameDesk, APagesKeyIsUsedOnce) {
  FrameDesk desk;
  liveness::PublicPoint first, later;
  ASSERT_TRUE(desk.point(first, kNow).ok());
  EXPECT_TRUE(desk.use(page(1), kNow));
  EXPECT_FALSE(desk.use(page(1), kNow));
  EXPECT_TRUE(desk.use(page(2), kNow));
  const auto turned = kNow + FrameDesk::kTurn;
  ASSERT_TRUE(desk.point(later, turned).ok());
  EXPECT_NE(first, later);
  EXPECT_FALSE(desk.use(page(1), turned));
  EXPECT_FALSE(desk.use(page(2), kNow + 2 * FrameDesk::kTurn - seconds(1)));
}

}  // namespace
}  // namespace visage::sidecar
