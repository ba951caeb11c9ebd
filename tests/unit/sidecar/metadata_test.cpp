// What a file says of the program that made it.   [6.1.2a] [7.4d]
#include <gtest/gtest.h>

#include <string>

#include "core/base/bytes.h"
#include "sidecar/capture/metadata.h"

namespace visage::capture {
namespace {

std::string jpeg(const std::string& comment) {
  std::string file("\xff\xd8\xff\xfe", 4);
  file += static_cast<char>((comment.size() + 2) >> 8);
  file += static_cast<char>((comment.size() + 2) & 255);
  return file + comment + std::string("\xff\xda\0\2gimp", 8);
}

std::string chunk(const std::string& name, const std::string& data, bool big) {
  std::string size;
  for (int i = 0; i < 4; ++i) size += static_cast<char>(data.size() >> (8 * (big ? 3 - i : i)) & 255);
  return big ? size + name + data + "crc!" : name + size + data + std::string(data.size() % 2, '\0');
}

bool names(const std::string& file) {
  return names_editor(as_bytes(file));
}

TEST(Metadata, EditorsAreFoundInTheMetadataAlone) {
  EXPECT_TRUE(names(jpeg("Created with GIMP")));
  EXPECT_FALSE(names(jpeg("a camera"))) << "the scan that follows says gimp, and is no metadata";
  const std::string png("\x89PNG\r\n\x1a\n", 8);
  EXPECT_TRUE(names(png + chunk("tEXt", "Software: Adobe Photoshop", true)));
  EXPECT_FALSE(names(png + chunk("IDAT", "photoshop", true)));
  const std::string riff = "RIFF....WEBP";
  EXPECT_TRUE(names(riff + chunk("VP8 ", "picture", false) + chunk("EXIF", "by Snapseed", false)));
  EXPECT_FALSE(names(riff + chunk("VP8 ", "snapseed", false)));
  EXPECT_FALSE(names("BM photoshop")) << "no format of ours";
}

// Lengths that lie, and files that end early, must not lead astray.
TEST(Metadata, HostileFilesAreRead) {
  const std::string png("\x89PNG\r\n\x1a\n", 8);
  for (const std::string& file :
       {jpeg("a camera"), png + chunk("tEXt", "none", true), "RIFF....WEBP" + chunk("EXIF", "none", false)})
    for (size_t size = 0; size <= file.size(); ++size) EXPECT_FALSE(names(file.substr(0, size)));
  EXPECT_FALSE(names(std::string("\xff\xd8\xff\xfe\xff\xff", 6)));
  EXPECT_FALSE(names(png + "\xff\xff\xff\xfftEXtgimp"));
  EXPECT_FALSE(names(std::string("RIFF....WEBPEXIF\xff\xff\xff\xffgimp")));
}

}  // namespace
}  // namespace visage::capture
