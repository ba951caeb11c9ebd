// The pipeline on real networks. Skipped, and saying so, before `make setup` has fetched them.
#include "sidecar/capture/pipeline.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "core/match/match.h"
#include "pictures.h"
#include "sidecar/capture/feature.h"
#include "sidecar/quality/profile.h"

namespace visage::capture {
namespace {

using test::Buffer;

// Between the same person's lowest and other people's highest cosine in these portraits (0.59 and 0.43).
constexpr double kBetween = 0.5;

Buffer portrait(const std::string& name) {
  return test::read_model_file("portraits/" + name + ".jpg");
}

class PipelineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!portrait("women/0").empty()) loaded_ = Pipeline::load({.models = "models"});
  }
  static void TearDownTestSuite() { loaded_.pipeline.reset(); }
  void SetUp() override {
    if (portrait("women/0").empty()) GTEST_SKIP() << "no models: run make setup";
    ASSERT_TRUE(loaded_.pipeline) << (loaded_.missing.empty() ? "" : loaded_.missing[0]);
  }

  static std::string process(Bytes image, Capture& out, const Options& options = {}) {
    const std::optional<Failure> failure = loaded_.pipeline->process(image, options, out);
    return failure ? std::string(slug(failure->code)) : "";
  }
  static double cosine(const Capture& a, const Capture& b) {
    const match::Comparison comparison = match::compare_probes(a.contents, b.contents);
    EXPECT_TRUE(comparison.comparable);
    return comparison.score;
  }
  static float measured(const Capture& capture, probe::Measure measure) {
    for (size_t i = 0; i < capture.contents.quality_count; ++i)
      if (capture.contents.quality[i].measure == measure) return capture.contents.quality[i].native;
    ADD_FAILURE() << "measure missing";
    return -1;
  }

  static inline Pipeline::Loaded loaded_;
};

TEST_F(PipelineTest, SamePersonIsNearOthersAreFar) {
  Capture women0, women2, women19, women13, men2;
  ASSERT_EQ(process(portrait("women/0"), women0, {.require_single_face = true}), "");
  ASSERT_EQ(process(portrait("women/2"), women2), "");
  ASSERT_EQ(process(portrait("women/19"), women19), "");
  ASSERT_EQ(process(portrait("women/13"), women13), "");
  ASSERT_EQ(process(portrait("men/2"), men2), "");
  EXPECT_GT(cosine(women0, women2), kBetween);
  EXPECT_GT(cosine(women0, women19), kBetween);
  EXPECT_GT(cosine(women2, women19), kBetween);
  EXPECT_LT(cosine(women0, women13), kBetween);
  EXPECT_LT(cosine(women0, men2), kBetween);
}

TEST_F(PipelineTest, FillsTheProbe) {
  Capture capture;
  const Buffer image = portrait("women/0");
  ASSERT_EQ(process(image, capture), "");
  const probe::Contents& contents = capture.contents;
  EXPECT_EQ(contents.model_id(), "sface-2021dec/1");
  EXPECT_EQ(contents.dimension, 128);
  uint8_t digest[32];
  crypto::sha256(image, digest);
  EXPECT_EQ(std::memcmp(digest, contents.image_digest, sizeof digest), 0);
  ASSERT_EQ(contents.liveness_count, 1);
  EXPECT_EQ(contents.liveness[0].method, probe::LivenessMethod::kPassive);
  EXPECT_GE(contents.liveness[0].value, 0);
  EXPECT_LE(contents.liveness[0].value, 1);
  EXPECT_EQ(measured(capture, probe::Measure::kImageWidth), 512);
  EXPECT_EQ(measured(capture, probe::Measure::kFacesFound), 1);
  EXPECT_EQ(measured(capture, probe::Measure::kSingleFacePresent), 0);
  EXPECT_GT(measured(capture, probe::Measure::kInterEyeDistance), 60);
  EXPECT_LT(measured(capture, probe::Measure::kInterEyeDistance), 200);
  EXPECT_GT(measured(capture, probe::Measure::kHeadSize), 0.1f);
  EXPECT_GT(capture.main_face.width, 100);
  EXPECT_GT(capture.timings.feature, 0);
}

// [6.1.3c] Every one of the clause's measures is in the probe of an ordinary portrait.
TEST_F(PipelineTest, ProbesCarryTheMeasures) {
  using enum probe::Measure;
  Capture capture;
  ASSERT_EQ(process(portrait("women/0"), capture), "");
  for (const probe::Measure measure :
       {kInterEyeDistance, kSharpness, kFaceCompleteness, kFaceOcclusionPrevention, kExpressionNeutrality,
        kHeadPoseYaw, kHeadPosePitch, kHeadPoseRoll, kEyesOpen, kMouthClosed, kLuminanceMean, kGreyRange})
    measured(capture, measure);
  EXPECT_NEAR(measured(capture, kCompressionArtifacts), 91, 2);
  EXPECT_GT(capture.timings.quality, 0);
}

TEST_F(PipelineTest, InspectsWithoutAFeature) {
  const Buffer image = portrait("women/0");
  Inspection seen;
  const quality::Profile& iifaa = *quality::find_profile("iifaa");
  InspectRequest request;
  request.image = image;
  request.draw = &iifaa;
  ASSERT_FALSE(loaded_.pipeline->inspect(request, seen));
  EXPECT_EQ(seen.image_width, 512);
  const quality::Judgement judgement = quality::judge(seen.readings, iifaa);
  EXPECT_EQ(judgement.verdict, quality::Verdict::kFail);  // [7.4a] 512 px are too few
  for (const quality::Check& check : judgement.checks)
    if (check.verdict == quality::Verdict::kFail) {
      EXPECT_EQ(check.definition->name, "ImageWidth");
    }
  const cv::Mat drawing = cv::imdecode(
      cv::Mat(1, static_cast<int>(seen.drawing.size()), CV_8U, seen.drawing.data()), cv::IMREAD_COLOR);
  EXPECT_EQ(drawing.rows, 960);
  EXPECT_EQ(seen.timings.feature, 0);
}

// [6.1.3d] A depth map that cannot be read is the depth map's failure, and not taken for none.
TEST_F(PipelineTest, InspectsTheDepthMapWithThePicture) {
  const Buffer image = portrait("women/0"),
               wall = test::encode(cv::Mat(512, 512, CV_16U, cv::Scalar(700)), ".png");
  Inspection seen;
  InspectRequest request;
  request.image = image;
  request.depth = Bytes(wall).first(wall.size() / 2);
  const std::optional<Failure> failure = loaded_.pipeline->inspect(request, seen);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, FailureCode::kUnreadableImage);
  EXPECT_STREQ(seen.failed_part, "depth");
  request.depth = wall;
  Inspection again;
  ASSERT_FALSE(loaded_.pipeline->inspect(request, again));
  const quality::Judgement judgement = quality::judge(again.readings, *quality::find_profile("iifaa"));
  for (const quality::Check& check : judgement.checks)
    if (check.definition->name == "DepthRelief") {
      EXPECT_EQ(check.verdict, quality::Verdict::kFail);
    }
}

TEST_F(PipelineTest, OrientationAndFormatDoNotMoveTheFeature) {
  const Buffer image = portrait("women/0");
  Capture plain, turned, lossless;
  ASSERT_EQ(process(image, plain), "");
  cv::Mat decoded = cv::imdecode(image, cv::IMREAD_COLOR), quarter;
  cv::rotate(decoded, quarter, cv::ROTATE_90_COUNTERCLOCKWISE);  // as a camera on its side stores it
  ASSERT_EQ(process(test::with_exif(test::encode(quarter, ".png"), 6), turned), "");
  EXPECT_GT(cosine(plain, turned), 0.999);
  ASSERT_EQ(process(test::encode(decoded, ".png"), lossless), "");
  EXPECT_GT(cosine(plain, lossless), 0.999);
}

TEST_F(PipelineTest, ALargePictureOfAFaceIsTheSameFace) {
  Capture plain, large;
  const Buffer image = portrait("women/0");
  ASSERT_EQ(process(image, plain), "");
  cv::Mat enlarged;
  cv::resize(cv::imdecode(image, cv::IMREAD_COLOR), enlarged, {3000, 3000}, 0, 0, cv::INTER_CUBIC);
  ASSERT_EQ(process(test::encode(enlarged, ".jpg"), large), "");
  EXPECT_GT(cosine(plain, large), 0.95);
  EXPECT_EQ(large.image_width, 3000);
}

TEST_F(PipelineTest, NoFace) {
  Capture capture;
  EXPECT_EQ(process(test::encode(test::noise(640, 480), ".jpg"), capture), "no-face");
  EXPECT_EQ(process(test::encode(cv::Mat(480, 640, CV_8UC3, cv::Scalar::all(128)), ".png"), capture),
            "no-face");
  EXPECT_EQ(capture.contents.dimension, 0);
  EXPECT_EQ(capture.image_width, 640);
}

TEST_F(PipelineTest, SeveralFacesAreRefusedOnlyWhenOneIsAskedFor) {
  const cv::Mat left = cv::imdecode(portrait("women/0"), cv::IMREAD_COLOR);
  const cv::Mat right = cv::imdecode(portrait("men/2"), cv::IMREAD_COLOR);
  cv::Mat both;
  cv::hconcat(left, right, both);
  const Buffer image = test::encode(both, ".jpg");
  Capture capture;
  EXPECT_EQ(process(image, capture, {.require_single_face = true}), "several-faces");
  EXPECT_EQ(capture.faces_found, 2);
  EXPECT_EQ(capture.contents.dimension, 0);
  EXPECT_EQ(process(image, capture), "");
  EXPECT_EQ(measured(capture, probe::Measure::kFacesFound), 2);
  EXPECT_GT(measured(capture, probe::Measure::kSingleFacePresent), 0.3f);
}

TEST_F(PipelineTest, ThreadsShareIt) {
  const Buffer image = portrait("women/0");
  Capture alone;
  ASSERT_EQ(process(image, alone), "");
  std::vector<std::thread> threads;
  std::array<double, 4> scores{};
  for (double& score : scores)
    threads.emplace_back([&] {
      Capture capture;
      if (process(image, capture).empty()) score = cosine(alone, capture);
    });
  for (std::thread& thread : threads) thread.join();
  for (const double score : scores) EXPECT_NEAR(score, 1, 1e-5);
}

TEST(Pipeline, NamesEveryMissingFile) {
  std::vector<std::string> said;
  const Pipeline::Loaded loaded = Pipeline::load(
      {.models = "/nonexistent", .progress = [&](const std::string& line) { said.push_back(line); }});
  EXPECT_FALSE(loaded.pipeline);
  ASSERT_EQ(loaded.missing.size(), 6u);  // the runtime and five networks
  EXPECT_NE(loaded.missing[0].find("libonnxruntime"), std::string::npos);
  EXPECT_NE(loaded.missing[3].find("sface.onnx"), std::string::npos);
  EXPECT_EQ(said.size(), 5u);
}

TEST(Pipeline, AnotherNetworkHasAnotherModelId) {
  EXPECT_EQ(feature_model_id(kFeatureSha256), "sface-2021dec/1");
  const std::string other(64, 'a');
  EXPECT_EQ(feature_model_id(other), "custom-aaaaaaaaaaaaaaaa/1");
}

}  // namespace
}  // namespace visage::capture
