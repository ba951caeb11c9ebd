// Pictures that tests make by code, and bytes of files that no encoder would write.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace visage::capture::test {

using Buffer = std::vector<uint8_t>;

// Encodes with OpenCV; `extension` is ".jpg", ".png" or ".webp".
Buffer encode(const cv::Mat& image, const std::string& extension);
// With a JPEG's quality, 1…100.
Buffer encode(const cv::Mat& image, const std::string& extension, int quality);
cv::Mat decode(const Buffer& file);
// Deterministic noise.
cv::Mat noise(int width, int height, int type = CV_8UC3);
// Left half black, right half white, a grey dot in the upper left corner: no two orientations look alike.
cv::Mat half_and_half(int width, int height);

// A TIFF block with one orientation entry.
Buffer tiff_orientation(int orientation, bool big_endian);
// Puts an EXIF block into a file of any of the three formats.
Buffer with_exif(Buffer image, int orientation, bool big_endian = true);
// A PNG that states `width` × `height` and carries next to no data.
Buffer png_claiming(uint32_t width, uint32_t height);
// Changes the frame header of a JPEG.
Buffer jpeg_claiming(Buffer jpeg, int width, int height);

// A file under the models directory; empty when `make setup` has not been run.
Buffer read_model_file(const std::string& path);

}  // namespace visage::capture::test
