#include "pictures.h"

#include <fstream>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace visage::capture::test {
namespace {

void put(Buffer& out, uint32_t value, int bytes, bool big_endian) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
}

void append(Buffer& out, const std::string& text) {
  out.insert(out.end(), text.begin(), text.end());
}

uint32_t crc32(const Buffer& bytes, size_t from) {  // PNG's, ISO 3309
  uint32_t crc = 0xffffffff;
  for (size_t i = from; i < bytes.size(); ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

Buffer png_chunk(const std::string& type, const Buffer& body) {
  Buffer chunk;
  put(chunk, static_cast<uint32_t>(body.size()), 4, true);
  append(chunk, type);
  chunk.insert(chunk.end(), body.begin(), body.end());
  put(chunk, crc32(chunk, 4), 4, true);
  return chunk;
}

}  // namespace

Buffer encode(const cv::Mat& image, const std::string& extension) {
  Buffer bytes;
  cv::imencode(extension, image, bytes);
  return bytes;
}

Buffer encode(const cv::Mat& image, const std::string& extension, int quality) {
  Buffer bytes;
  cv::imencode(extension, image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  return bytes;
}

cv::Mat decode(const Buffer& file) {
  return cv::imdecode(file, cv::IMREAD_COLOR);
}

cv::Mat noise(int width, int height, int type) {
  cv::Mat image(height, width, type);
  cv::RNG random(7);
  random.fill(image, cv::RNG::UNIFORM, 0, image.depth() == CV_16U ? 65536 : 256);
  return image;
}

cv::Mat half_and_half(int width, int height) {
  cv::Mat image(height, width, CV_8UC3, cv::Scalar::all(0));
  image.colRange(width / 2, width).setTo(cv::Scalar::all(255));
  image(cv::Rect(0, 0, width / 4, height / 4)).setTo(cv::Scalar::all(128));
  return image;
}

Buffer tiff_orientation(int orientation, bool big_endian) {
  Buffer tiff;
  append(tiff, big_endian ? "MM" : "II");
  put(tiff, 42, 2, big_endian);
  put(tiff, 8, 4, big_endian);
  put(tiff, 1, 2, big_endian);
  put(tiff, 0x0112, 2, big_endian);
  put(tiff, 3, 2, big_endian);
  put(tiff, 1, 4, big_endian);
  put(tiff, static_cast<uint32_t>(orientation), 2, big_endian);
  put(tiff, 0, 2, big_endian);
  put(tiff, 0, 4, big_endian);
  return tiff;
}

Buffer with_exif(Buffer image, int orientation, bool big_endian) {
  const Buffer tiff = tiff_orientation(orientation, big_endian);
  if (image[0] == 0xff) {
    Buffer segment = {0xff, 0xe1};
    put(segment, static_cast<uint32_t>(2 + 6 + tiff.size()), 2, true);
    append(segment, std::string("Exif\0\0", 6));
    segment.insert(segment.end(), tiff.begin(), tiff.end());
    image.insert(image.begin() + 2, segment.begin(), segment.end());
  } else if (image[0] == 0x89) {
    const Buffer chunk = png_chunk("eXIf", tiff);
    image.insert(image.begin() + 8 + 25, chunk.begin(), chunk.end());  // after IHDR
  } else {
    append(image, "EXIF");
    put(image, static_cast<uint32_t>(tiff.size()), 4, false);
    image.insert(image.end(), tiff.begin(), tiff.end());
    Buffer size;
    put(size, static_cast<uint32_t>(image.size() - 8), 4, false);
    std::copy(size.begin(), size.end(), image.begin() + 4);
  }
  return image;
}

Buffer png_claiming(uint32_t width, uint32_t height) {
  Buffer png;
  append(png, std::string("\x89PNG\r\n\x1a\n", 8));
  Buffer header;
  put(header, width, 4, true);
  put(header, height, 4, true);
  for (const uint8_t byte : {8, 2, 0, 0, 0}) header.push_back(byte);
  for (const Buffer& chunk : {png_chunk("IHDR", header), png_chunk("IDAT", {0x78, 0x9c, 0x03, 0, 0, 0, 0, 1}),
                              png_chunk("IEND", {})})
    png.insert(png.end(), chunk.begin(), chunk.end());
  return png;
}

Buffer jpeg_claiming(Buffer jpeg, int width, int height) {
  for (size_t at = 2; at + 9 < jpeg.size();) {
    const uint8_t marker = jpeg[at + 1];
    if (marker == 0xc0 || marker == 0xc2) {
      jpeg[at + 5] = static_cast<uint8_t>(height >> 8);
      jpeg[at + 6] = static_cast<uint8_t>(height);
      jpeg[at + 7] = static_cast<uint8_t>(width >> 8);
      jpeg[at + 8] = static_cast<uint8_t>(width);
      break;
    }
    at += 2 + static_cast<size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);
  }
  return jpeg;
}

Buffer read_model_file(const std::string& path) {
  std::ifstream stream("models/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace visage::capture::test
