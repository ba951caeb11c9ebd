// Floors, and what an event keeps of a probe's quality and liveness.   [6.1.2b] [6.1.3b] [8.2.5b]
#include <gtest/gtest.h>

#include <cmath>

#include "core/audit/event.h"
#include "core/probe/capture_record.h"
#include "support.h"

namespace visage::probe {
namespace {

Contents contents_with(std::initializer_list<Liveness> liveness, std::initializer_list<Quality> quality) {
  Contents out = {};
  for (const Liveness& value : liveness) out.liveness[out.liveness_count++] = value;
  for (const Quality& value : quality) out.quality[out.quality_count++] = value;
  return out;
}

test::Buffer encoded(const CaptureRecord& record) {
  test::Buffer out(kMaxCaptureRecord);
  size_t size = 0;
  EXPECT_OK(encode_capture(record, out, size));
  out.resize(size);
  return out;
}

TEST(Floor, IsReachedFromItsMinimumOn) {
  const QualityFloor floor{Measure::kInterEyeDistance, 60};
  const auto state = [&](std::initializer_list<Quality> quality) {
    return reached(floor, contents_with({}, quality));
  };
  EXPECT_EQ(state({{Measure::kInterEyeDistance, 50, 60}}), Reached::kReached);
  EXPECT_EQ(state({{Measure::kInterEyeDistance, 50, 59.9f}}), Reached::kShort);
  EXPECT_EQ(state({{Measure::kInterEyeDistance, 50, std::nanf("")}}), Reached::kShort);
  EXPECT_EQ(state({{Measure::kSharpness, 50, 99}}), Reached::kMissing);
}

// A source that states a measure twice does not choose which one counts.
TEST(Floor, OfTwoValuesTheWorseCounts) {
  const QualityFloor floor{Measure::kInterEyeDistance, 60};
  for (const auto& [first, second] : {std::pair(10.0f, 90.0f), std::pair(90.0f, 10.0f)}) {
    const Contents twice = contents_with(
        {}, {{Measure::kInterEyeDistance, 50, first}, {Measure::kInterEyeDistance, 50, second}});
    EXPECT_FALSE(floors_reached(std::span(&floor, 1), twice)) << first << " " << second;
  }
}

TEST(CaptureRecord, WithoutValuesOnlyWhatFellShort) {
  const Contents contents = contents_with(
      {{LivenessMethod::kPassive, 0.7f}, {LivenessMethod::kChallenge, 0}},
      {{Measure::kImageWidth, 50, 640}, {Measure::kSharpness, 9, 0.1f}, {Measure::kLivenessReason, 255, 8}});
  const QualityFloor floors[] = {
      {Measure::kImageWidth, 640}, {Measure::kSharpness, 0.2f}, {Measure::kEyesOpen, 0.1f}};
  const float liveness_floor = 0.5f;
  CaptureRecord record;
  record_capture(contents, &liveness_floor, floors, false, record);
  CaptureRecord read;
  ASSERT_OK(decode_capture(encoded(record), read));
  EXPECT_FALSE(read.has_values);
  EXPECT_EQ(read.liveness_reason, 8);
  ASSERT_EQ(read.method_count, 2);
  EXPECT_EQ(read.methods[0].reached, Reached::kReached);
  EXPECT_EQ(read.methods[1].reached, Reached::kShort);
  EXPECT_EQ(read.methods[0].value, 0) << "the value stays out";
  ASSERT_EQ(read.measure_count, 2) << "what reached its floor, or has none, is not listed";
  EXPECT_EQ(read.measures[0].id, static_cast<uint8_t>(Measure::kSharpness));
  EXPECT_EQ(read.measures[0].reached, Reached::kShort);
  EXPECT_EQ(read.measures[1].id, static_cast<uint8_t>(Measure::kEyesOpen));
  EXPECT_EQ(read.measures[1].reached, Reached::kMissing);
}

TEST(CaptureRecord, ValuesWhereTheyAreAllowed) {
  const Contents contents = contents_with({{LivenessMethod::kPassive, 0.7f}},
                                          {{Measure::kImageWidth, 50, 640}, {Measure::kSharpness, 9, 0.1f}});
  const QualityFloor floors[] = {{Measure::kEyesOpen, 0.1f}};
  CaptureRecord record;
  record_capture(contents, nullptr, floors, true, record);
  CaptureRecord read;
  ASSERT_OK(decode_capture(encoded(record), read));
  EXPECT_TRUE(read.has_values);
  EXPECT_EQ(read.liveness_reason, kNoLivenessReason);
  EXPECT_EQ(read.methods[0].reached, Reached::kNoFloor);
  EXPECT_EQ(read.methods[0].value, 0.7f);
  ASSERT_EQ(read.measure_count, 3);
  EXPECT_EQ(read.measures[0].value, 640);
  EXPECT_EQ(read.measures[1].value, 0.1f);
  EXPECT_EQ(read.measures[2].reached, Reached::kMissing);
}

TEST(CaptureRecord, TheLargestFitsIntoAnEvent) {
  Contents contents = {};
  contents.liveness_count = kMaxLiveness;
  contents.quality_count = kMaxQuality;
  std::vector<QualityFloor> floors;
  for (size_t i = 0; i < kMaxQuality; ++i) contents.quality[i].measure = static_cast<Measure>(100 + i);
  for (size_t i = 0; i < kMaxFloors; ++i) floors.push_back({static_cast<Measure>(200 + i), 0});
  CaptureRecord record;
  record_capture(contents, nullptr, floors, true, record);
  const test::Buffer bytes = encoded(record);
  EXPECT_EQ(bytes.size(), kMaxCaptureRecord);
  EXPECT_EQ(kMaxCaptureRecord, audit::kMaxCaptureLength);
  CaptureRecord read;
  EXPECT_OK(decode_capture(bytes, read));
}

// Rows may come from anybody who can write the table.
TEST(CaptureRecord, HostileBytesAreRefused) {
  const Contents contents =
      contents_with({{LivenessMethod::kPassive, 0.7f}}, {{Measure::kImageWidth, 50, 640}});
  CaptureRecord record;
  record_capture(contents, nullptr, {}, true, record);
  const test::Buffer good = encoded(record);
  CaptureRecord read;
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(decode_capture(Bytes(good).first(size), read).code, Code::kMalformed) << size;
  test::Buffer longer = good;
  longer.push_back(0);
  EXPECT_EQ(decode_capture(longer, read).code, Code::kMalformed);
  const auto changed = [&](size_t at, uint8_t value) {
    test::Buffer bytes = good;
    bytes[at] = value;
    return decode_capture(bytes, read).code;
  };
  EXPECT_EQ(changed(0, 2), Code::kMalformed) << "unknown flags";
  EXPECT_EQ(changed(2, 17), Code::kMalformed) << "more methods than there are places";
  EXPECT_EQ(changed(2, 255), Code::kMalformed);
  EXPECT_EQ(changed(4, 4), Code::kMalformed) << "a state that is none";
  EXPECT_EQ(changed(9, 255), Code::kMalformed) << "more measures than there are places";
}

}  // namespace
}  // namespace visage::probe
