// Writes the corpus's pictures: make FOLDER. Shapes made by code, a few hundred bytes each, one for each way
// through the codecs that a script cannot write by hand. PNGs are made by seeds.py.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <string>
// libjpeg's header needs FILE and size_t before it.
#include <jpeglib.h>

#include "pictures.h"

namespace {

using visage::capture::test::Buffer;

Buffer encode(const cv::Mat& image, const char* extension, const std::vector<int>& options) {
  Buffer bytes;
  cv::imencode(extension, image, bytes, options);
  return bytes;
}

// OpenCV writes no CMYK.
Buffer cmyk_jpeg(int width, int height) {
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &bytes, &size);
  codec.image_width = static_cast<unsigned>(width);
  codec.image_height = static_cast<unsigned>(height);
  codec.input_components = 4;
  codec.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&codec);
  jpeg_start_compress(&codec, TRUE);
  std::vector<unsigned char> row(static_cast<size_t>(width) * 4, 100);
  JSAMPROW rows[1] = {row.data()};
  while (codec.next_scanline < codec.image_height) jpeg_write_scanlines(&codec, rows, 1);
  jpeg_finish_compress(&codec);
  Buffer out(bytes, bytes + size);
  jpeg_destroy_compress(&codec);
  std::free(bytes);
  return out;
}

}  // namespace

int main(int, char** arguments) {
  using namespace visage::capture::test;
  const cv::Mat shape = half_and_half(24, 16);
  cv::Mat grey, clear(16, 24, CV_8UC4, cv::Scalar(10, 200, 90, 0));
  cv::extractChannel(shape, grey, 0);
  clear.colRange(0, 12).setTo(cv::Scalar(10, 200, 90, 160));
  const std::pair<const char*, Buffer> pictures[] = {
      {"jpeg-baseline", encode(shape, ".jpg", {cv::IMWRITE_JPEG_QUALITY, 40})},
      {"jpeg-grey", encode(grey, ".jpg", {cv::IMWRITE_JPEG_QUALITY, 40})},
      {"jpeg-progressive", encode(shape, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
      {"jpeg-restarts", encode(shape, ".jpg", {cv::IMWRITE_JPEG_RST_INTERVAL, 1})},
      {"jpeg-cmyk", cmyk_jpeg(24, 16)},
      {"jpeg-exif", with_exif(encode(shape, ".jpg", {cv::IMWRITE_JPEG_QUALITY, 40}), 6)},
      {"webp-lossy", encode(shape, ".webp", {cv::IMWRITE_WEBP_QUALITY, 30})},
      {"webp-lossless", encode(shape, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101})},
      {"webp-transparent", encode(clear, ".webp", {cv::IMWRITE_WEBP_QUALITY, 50})},
      {"webp-exif", with_exif(encode(shape, ".webp", {cv::IMWRITE_WEBP_QUALITY, 30}), 8, false)},
  };
  for (const char* target : {"image_header", "image_decode"}) {
    const auto folder = std::filesystem::path(arguments[1]) / target;
    std::filesystem::create_directories(folder);
    for (const auto& [name, bytes] : pictures)
      std::ofstream(folder / name, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
}
