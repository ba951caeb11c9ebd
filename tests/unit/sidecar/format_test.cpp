// Structure of uploads, read before anything is decoded (issue part 6: hostile bytes, truncation, bombs).
#include "sidecar/capture/format.h"

#include <gtest/gtest.h>

#include <random>

#include "pictures.h"

namespace visage::capture {
namespace {

using test::Buffer;

const char* const kExtensions[] = {".jpg", ".png", ".webp"};

std::string slug_of(Bytes image) {
  ImageHeader header;
  const std::optional<Failure> failure = read_header(image, header);
  return failure ? std::string(slug(failure->code)) : "";
}

TEST(Format, IsKnownByItsFirstBytes) {
  const Format formats[] = {Format::kJpeg, Format::kPng, Format::kWebp};
  for (size_t i = 0; i < 3; ++i) {
    const Buffer image = test::encode(test::noise(64, 48), kExtensions[i]);
    EXPECT_EQ(sniff(image), formats[i]);
    ImageHeader header;
    ASSERT_FALSE(read_header(image, header)) << kExtensions[i];
    EXPECT_EQ(header.width, 64);
    EXPECT_EQ(header.height, 48);
    EXPECT_EQ(header.orientation, 1);
  }
}

TEST(Format, AnythingElseIsUnsupported) {
  EXPECT_EQ(slug_of({}), "unsupported-format");
  for (const std::string_view text :
       {"GIF89a", "BM", "II*\0", "%PDF-1.7", "<svg>", "RIFF0000WAVE", "\xff\xd8"})
    EXPECT_EQ(slug_of(as_bytes(text)), "unsupported-format") << text;
  EXPECT_EQ(slug_of(test::encode(test::noise(64, 64), ".bmp")), "unsupported-format");
}

TEST(Format, EveryTruncationIsUnreadable) {
  for (const char* extension : kExtensions) {
    const Buffer image = test::encode(test::noise(64, 64), extension);
    for (size_t size = 12; size < image.size(); size += 1 + size / 50)
      EXPECT_EQ(slug_of(Bytes(image).first(size)), "unreadable-image") << extension << " cut to " << size;
    EXPECT_EQ(slug_of(Bytes(image).first(image.size() - 1)), "unreadable-image") << extension;
  }
}

TEST(Format, BytesAfterTheEndAreIgnored) {
  for (const char* extension : kExtensions) {
    Buffer image = test::encode(test::noise(64, 64), extension);
    image.insert(image.end(), {'P', 'K', 3, 4, 0, 0});
    EXPECT_EQ(slug_of(image), "") << extension;
  }
}

TEST(Format, SizesOfZeroAndImpossibleSizesAreUnreadable) {
  EXPECT_EQ(slug_of(test::png_claiming(0, 100)), "unreadable-image");
  EXPECT_EQ(slug_of(test::png_claiming(100, 0)), "unreadable-image");
  EXPECT_EQ(slug_of(test::png_claiming(0xffffffff, 0xffffffff)), "unreadable-image");
  const Buffer jpeg = test::encode(test::noise(64, 64), ".jpg");
  EXPECT_EQ(slug_of(test::jpeg_claiming(jpeg, 0, 64)), "unreadable-image");
  EXPECT_EQ(slug_of(test::jpeg_claiming(jpeg, 64, 0)), "unreadable-image");
}

TEST(Format, AnimationsAreUnsupported) {
  const std::string frames("RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x3f\0\0\x3f\0\0", 30);
  EXPECT_EQ(slug_of(as_bytes(frames)), "unsupported-format");
}

TEST(Format, WebpCanvasOfAnotherSizeThanItsPictureIsUnreadable) {
  const Buffer plain = test::encode(test::noise(64, 64), ".webp");
  std::string file("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x7f\0\0", 30);  // 64 × 128
  file.append(plain.begin() + 12, plain.end());
  for (size_t i = 0; i < 4; ++i) file[4 + i] = static_cast<char>((file.size() - 8) >> 8 * i);
  EXPECT_EQ(slug_of(as_bytes(file)), "unreadable-image");
  file[27] = 0x3f;
  EXPECT_EQ(slug_of(as_bytes(file)), "");
}

TEST(Format, OrientationIsFoundInEveryFormatAndByteOrder) {
  for (const char* extension : kExtensions)
    for (const bool big_endian : {true, false})
      for (int orientation = 1; orientation <= 8; ++orientation) {
        ImageHeader header;
        const Buffer image = test::encode(test::noise(64, 64), extension);
        ASSERT_FALSE(read_header(test::with_exif(image, orientation, big_endian), header)) << extension;
        EXPECT_EQ(header.orientation, orientation) << extension;
      }
}

TEST(Format, NonsenseOrientationIsUpright) {
  for (const int orientation : {0, 9, 255, 65535})
    EXPECT_EQ(exif_orientation(test::tiff_orientation(orientation, true)), 1);
  const Buffer tiff = test::tiff_orientation(6, false);
  for (size_t size = 0; size < 18; ++size) EXPECT_EQ(exif_orientation(Bytes(tiff).first(size)), 1) << size;
  Buffer far = tiff;
  far[4] = far[5] = far[6] = far[7] = 0xff;  // directory past the end
  EXPECT_EQ(exif_orientation(far), 1);
}

// Bounded reads: nothing here may crash, hang, or read past the end (run under a sanitizer to see the last).
TEST(Format, RandomAndFlippedBytesNeverCrash) {
  std::mt19937 random(1);
  for (const char* extension : kExtensions) {
    const Buffer image = test::encode(test::noise(48, 48), extension);
    for (int i = 0; i < 3000; ++i) {
      Buffer bad = image;
      bad.resize(1 + random() % bad.size());
      for (int flips = 0; flips < 4; ++flips)
        bad[random() % std::min<size_t>(bad.size(), 256)] ^= 1 << random() % 8;
      slug_of(bad);
      std::generate(bad.begin() + std::min<long>(12, static_cast<long>(bad.size())), bad.end(),
                    std::ref(random));
      slug_of(bad);
    }
  }
}

}  // namespace
}  // namespace visage::capture
