// The table of measures, the profiles, and how a judgement is made of them.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

#include "sidecar/quality/profile.h"

namespace visage::quality {
namespace {

using probe::Measure;

Readings with(std::initializer_list<std::pair<Measure, Reading>> given) {
  Readings readings{};
  for (const auto& [measure, reading] : given)
    for (size_t i = 0; i < kMeasures; ++i)
      if (definitions()[i].id == measure) readings[i] = reading;
  return readings;
}

constexpr Reading of(float native, uint8_t scalar = 100) {
  return {true, native, scalar};
}

const Check& check_of(const Judgement& judgement, Measure measure) {
  for (const Check& check : judgement.checks)
    if (check.definition->id == measure) return check;
  return judgement.checks.front();
}

TEST(QualityProfile, DatabaseKnowsEveryMeasure) {  // [6.1.3a]
  std::ifstream stream("sql/install/30_policy.sql");
  const std::string sql{std::istreambuf_iterator<char>(stream), {}};
  ASSERT_FALSE(sql.empty());
  std::set<int> ids;
  for (const Definition& definition : definitions()) {
    const std::string row = "(" + std::to_string(static_cast<int>(definition.id)) + ", '" +
                            std::string(definition.name) + "', '" + std::string(definition.unit) + "'";
    EXPECT_NE(sql.find(row), std::string::npos) << row;
    EXPECT_TRUE(ids.insert(static_cast<int>(definition.id)).second) << definition.name;
    EXPECT_FALSE(definition.method.empty());
    EXPECT_FALSE(definition.advice.empty());
    EXPECT_EQ(find_definition(definition.id), &definition);
  }
}

TEST(QualityProfile, DocumentListsEveryMeasure) {
  std::ifstream stream("docs/quality.md");
  const std::string document{std::istreambuf_iterator<char>(stream), {}};
  for (const Definition& definition : definitions()) {
    char id[16];
    std::snprintf(id, sizeof id, "| 0x%02x | ", static_cast<unsigned>(definition.id));
    const std::string row = id + std::string(definition.name) + " | " + std::string(definition.unit) + " | " +
                            std::string(definition.clause) + " | " + std::string(definition.method) + " |";
    EXPECT_NE(document.find(row), std::string::npos) << row;
  }
  for (const Profile& profile : profiles())
    EXPECT_NE(document.find("`" + std::string(profile.name) + "`"), std::string::npos) << profile.name;
}

TEST(QualityProfile, LimitsNameMeasuresOnce) {
  for (const Profile& profile : profiles()) {
    EXPECT_EQ(find_profile(profile.name), &profile);
    std::set<Measure> seen;
    for (const Limit& limit : profile.limits) {
      EXPECT_NE(find_definition(limit.measure), nullptr);
      EXPECT_TRUE(seen.insert(limit.measure).second) << profile.name << static_cast<int>(limit.measure);
      EXPECT_LE(limit.low, limit.high);
    }
  }
  EXPECT_EQ(find_profile("no such profile"), nullptr);
}

TEST(QualityProfile, StandardsOwnFigures) {  // [7.4a] [7.4c] [7.4f] [7.4h] [7.5h]
  const Profile& iifaa = *find_profile("iifaa");
  const auto verdict = [&](Measure measure, float native) {
    return check_of(judge(with({{measure, of(native)}}), iifaa), measure).verdict;
  };
  struct Edge {
    Measure measure;
    float good, bad;
  };
  for (const Edge& edge : {Edge{Measure::kImageWidth, 640, 639},
                           {Measure::kImageHeight, 480, 479},
                           {Measure::kInterEyeDistance, 60, 59.9f},
                           {Measure::kHeadPoseYaw, 20, 20.1f},
                           {Measure::kHeadPoseYaw, -20, -20.1f},
                           {Measure::kHeadPosePitch, -20, -20.1f},
                           {Measure::kHeadPoseRoll, 20, 20.1f},
                           {Measure::kDepthWidth, 640, 639},
                           {Measure::kDepthHeight, 400, 399},
                           {Measure::kDepthCompleteness, 0.81f, 0.79f},
                           {Measure::kDepthFeatureCompleteness, 0.96f, 0.94f},
                           {Measure::kDepthNoise, 3, 3.1f},
                           {Measure::kGreyRange, 0.5f, 0.49f}}) {
    EXPECT_EQ(verdict(edge.measure, edge.good), Verdict::kOk) << static_cast<int>(edge.measure);
    EXPECT_EQ(verdict(edge.measure, edge.bad), Verdict::kFail) << static_cast<int>(edge.measure);
  }
  // An estimate's limit has a doubt: the faces of people differ as much.
  EXPECT_EQ(verdict(Measure::kGeometricDistortion, 10), Verdict::kOk);
  EXPECT_EQ(verdict(Measure::kGeometricDistortion, 20), Verdict::kUndetermined);
  EXPECT_EQ(verdict(Measure::kGeometricDistortion, 26), Verdict::kFail);
}

TEST(QualityProfile, OneFailureFailsTheWhole) {  // [6.1.3b]
  constexpr Limit kLimits[] = {{Measure::kImageWidth, Scale::kNative, 640, kNoHigh},
                               {Measure::kSharpness, Scale::kScalar, 30, kNoHigh},
                               {Measure::kLightColour, Scale::kNative, kNoLow, 40, false}};
  const Profile profile{"test", "", kLimits};
  const auto whole = [&](std::initializer_list<std::pair<Measure, Reading>> given) {
    return judge(with(given), profile).verdict;
  };
  const Reading wide = of(700), sharp = of(0.1f, 30);
  EXPECT_EQ(
      whole({{Measure::kImageWidth, wide}, {Measure::kSharpness, sharp}, {Measure::kLightColour, of(40)}}),
      Verdict::kOk);
  EXPECT_EQ(whole({{Measure::kImageWidth, wide}, {Measure::kSharpness, of(0.9f, 29)}}), Verdict::kFail);
  EXPECT_EQ(
      whole({{Measure::kImageWidth, wide}, {Measure::kSharpness, sharp}, {Measure::kLightColour, of(41)}}),
      Verdict::kFail);
  // What nobody requires may be missing; what somebody requires may not.
  EXPECT_EQ(whole({{Measure::kImageWidth, wide}, {Measure::kSharpness, sharp}}), Verdict::kOk);
  EXPECT_EQ(whole({{Measure::kImageWidth, wide}}), Verdict::kUndetermined);
  EXPECT_EQ(whole({{Measure::kImageWidth, of(1)}}), Verdict::kFail);
  EXPECT_EQ(whole({}), Verdict::kUndetermined);
  // A limit on a scalar that the measure does not have is not met.
  EXPECT_EQ(whole({{Measure::kImageWidth, wide}, {Measure::kSharpness, of(1, probe::kScalarUndetermined)}}),
            Verdict::kUndetermined);
}

TEST(QualityProfile, ProbesCarryWhatWasAssessed) {  // a floor on the rest refuses
  probe::Contents contents{};
  contents.quality_count = 9;
  keep(with({{Measure::kInterEyeDistance, of(82, 65)}, {Measure::kSharpness, of(0.5f, 98)}}), contents);
  ASSERT_EQ(contents.quality_count, 2);
  EXPECT_EQ(contents.quality[0].measure, Measure::kSharpness);
  EXPECT_EQ(contents.quality[1].measure, Measure::kInterEyeDistance);
  EXPECT_EQ(contents.quality[1].native, 82);
  EXPECT_EQ(contents.quality[1].scalar, 65);
}

TEST(QualityProfile, NothingThatIsNoNumberBecomesAValue) {
  EXPECT_FALSE(mapped(NAN, 50).assessed);
  EXPECT_FALSE(mapped(1, NAN).assessed);
  EXPECT_FALSE(mapped(INFINITY, 50).assessed);
  EXPECT_FALSE(plain(NAN).assessed);
  EXPECT_EQ(mapped(1, 250).scalar, 100);
  EXPECT_EQ(mapped(1, -3).scalar, 0);
}

}  // namespace
}  // namespace visage::quality
