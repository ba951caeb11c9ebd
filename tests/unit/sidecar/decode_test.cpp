// Uploads to upright 8-bit BGR: limits, orientation, greyscale, transparency, 16 bits, damage.
#include "sidecar/capture/decode.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <opencv2/imgproc.hpp>
#include <random>

#include "pictures.h"

namespace visage::capture {
namespace {

using test::Buffer;

const char* const kExtensions[] = {".jpg", ".png", ".webp"};

std::string slug_of(Bytes image, const Limits& limits = {}) {
  cv::Mat out;
  const std::optional<Failure> failure = decode(image, limits, out);
  return failure ? std::string(slug(failure->code)) : "";
}

long peak_memory_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

cv::Vec3b at(const cv::Mat& image, double x, double y) {  // in shares of the sides
  return image.at<cv::Vec3b>(static_cast<int>(y * image.rows), static_cast<int>(x * image.cols));
}

TEST(Decode, GivesBgrOfTheStatedSize) {
  for (const char* extension : kExtensions) {
    cv::Mat out, blue(80, 100, CV_8UC3, cv::Scalar(200, 60, 20));
    ASSERT_FALSE(decode(test::encode(blue, extension), {}, out)) << extension;
    EXPECT_EQ(out.size(), cv::Size(100, 80));
    EXPECT_EQ(out.type(), CV_8UC3);
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(out.at<cv::Vec3b>(40, 50)[c], blue.at<cv::Vec3b>(40, 50)[c], 6);
  }
}

TEST(Decode, TurnsByExifOrientation) {
  // What a viewer shows for a half_and_half() file: where its grey corner and its white half end up.
  struct Case {
    int orientation;
    double grey_x, grey_y, white_x, white_y;
  };
  const Case cases[] = {{1, .1, .1, .9, .5}, {2, .9, .1, .1, .5}, {3, .9, .9, .1, .5}, {4, .1, .9, .9, .5},
                        {5, .1, .1, .5, .9}, {6, .9, .1, .5, .9}, {7, .9, .9, .5, .1}, {8, .1, .9, .5, .1}};
  for (const char* extension : kExtensions)
    for (const Case& c : cases) {
      cv::Mat out;
      const Buffer image = test::encode(test::half_and_half(120, 80), extension);
      ASSERT_FALSE(decode(test::with_exif(image, c.orientation), {}, out));
      EXPECT_EQ(out.size(), c.orientation < 5 ? cv::Size(120, 80) : cv::Size(80, 120));
      EXPECT_NEAR(at(out, c.grey_x, c.grey_y)[0], 128, 20) << extension << " " << c.orientation;
      EXPECT_GT(at(out, c.white_x, c.white_y)[0], 230) << extension << " " << c.orientation;
    }
}

TEST(Decode, GreyscaleBecomesBgr) {
  for (const char* extension : {".jpg", ".png"}) {
    cv::Mat out;
    ASSERT_FALSE(decode(test::encode(cv::Mat(64, 64, CV_8UC1, cv::Scalar(90)), extension), {}, out));
    EXPECT_EQ(out.type(), CV_8UC3);
    EXPECT_EQ(out.at<cv::Vec3b>(10, 10), cv::Vec3b(90, 90, 90));
  }
}

TEST(Decode, SixteenBitsAreScaled) {
  cv::Mat out;
  ASSERT_FALSE(decode(test::encode(cv::Mat(64, 64, CV_16UC1, cv::Scalar(65535)), ".png"), {}, out));
  EXPECT_EQ(out.at<cv::Vec3b>(0, 0), cv::Vec3b(255, 255, 255));
  ASSERT_FALSE(decode(test::encode(cv::Mat(64, 64, CV_16UC3, cv::Scalar(257, 25700, 0)), ".png"), {}, out));
  EXPECT_EQ(out.at<cv::Vec3b>(0, 0), cv::Vec3b(1, 100, 0));
}

TEST(Decode, TransparencyIsCompositedOnWhite) {
  for (const char* extension : {".png", ".webp"}) {
    cv::Mat image(64, 64, CV_8UC4, cv::Scalar(0, 0, 0, 0)), out;
    image.colRange(32, 64).setTo(cv::Scalar(0, 0, 0, 255));
    ASSERT_FALSE(decode(test::encode(image, extension), {}, out));
    EXPECT_EQ(out.type(), CV_8UC3);
    EXPECT_GE(out.at<cv::Vec3b>(32, 8)[1], 250);
    EXPECT_LE(out.at<cv::Vec3b>(32, 56)[1], 5);
  }
  cv::Mat deep(64, 64, CV_16UC4, cv::Scalar(0, 0, 0, 32768)), out;
  ASSERT_FALSE(decode(test::encode(deep, ".png"), {}, out));
  EXPECT_NEAR(out.at<cv::Vec3b>(5, 5)[0], 127, 1);
}

TEST(Decode, LimitsAreCheckedBeforeDecoding) {
  const Buffer bombs[] = {test::png_claiming(10'000, 10'000), test::png_claiming(60'000, 60'000),
                          test::jpeg_claiming(test::encode(test::noise(64, 64), ".jpg"), 10'000, 10'000)};
  const long before = peak_memory_kb();
  const auto start = std::chrono::steady_clock::now();
  for (const Buffer& bomb : bombs) EXPECT_EQ(slug_of(bomb), "image-too-large");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
  EXPECT_LT(peak_memory_kb() - before, 8 << 10);  // the picture would need 300 MB

  const Buffer image = test::encode(test::noise(200, 100), ".png");
  EXPECT_EQ(slug_of(image, {.max_pixels = 19'999}), "image-too-large");
  EXPECT_EQ(slug_of(image, {.max_pixels = 20'000}), "");
  EXPECT_EQ(slug_of(image, {.max_side = 199}), "image-too-large");
  EXPECT_EQ(slug_of(image, {.max_bytes = image.size() - 1}), "image-too-large");
  EXPECT_EQ(slug_of(image, {.min_side = 101}), "image-too-small");
}

TEST(Decode, TruncatedDataInsideAWholeStructureIsUnreadable) {
  Buffer jpeg = test::encode(test::noise(256, 256), ".jpg");
  jpeg.erase(jpeg.begin() + static_cast<long>(jpeg.size() / 2), jpeg.end());
  EXPECT_EQ(slug_of(jpeg), "unreadable-image");
  jpeg.insert(jpeg.end(), {0xff, 0xd9});  // an end marker does not make it whole
  EXPECT_EQ(slug_of(jpeg), "unreadable-image");
  EXPECT_EQ(slug_of(test::png_claiming(100, 100)), "unreadable-image");
  EXPECT_EQ(slug_of(test::jpeg_claiming(test::encode(test::noise(64, 64), ".jpg"), 512, 512)),
            "unreadable-image");
}

TEST(Decode, StopsAtTheDeadline) {
  const Buffer image = test::encode(test::noise(3000, 3000), ".jpg");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(slug_of(image, {.decode_ms = 5}), "decode-timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
  EXPECT_EQ(slug_of(test::encode(test::noise(512, 512), ".png"), {.decode_ms = 0}), "decode-timeout");
}

TEST(Decode, DamagedFilesNeverCrash) {
  std::mt19937 random(3);
  for (const char* extension : kExtensions) {
    const Buffer image = test::encode(test::noise(64, 64), extension);
    for (int i = 0; i < 400; ++i) {
      Buffer bad = image;
      for (int flips = 0; flips < 3; ++flips)
        bad[random() % bad.size()] ^= static_cast<uint8_t>(1 << random() % 8);
      slug_of(bad, {.max_pixels = 100'000});
    }
  }
}

}  // namespace
}  // namespace visage::capture
