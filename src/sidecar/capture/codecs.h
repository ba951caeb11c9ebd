// The three codecs, each through its own library: libjpeg, libpng, libwebp.
//
// Not through OpenCV's imdecode, for four reasons: it has no deadline, which matters for progressive JPEGs
// with thousands of scans; it passes damaged JPEG data on as grey; its PNG reader writes to stderr, so that a
// caller could fill the log; and it maps GDAL and some hundred other libraries into a process that reads
// hostile files.
#pragma once

#include <chrono>
#include <opencv2/core.hpp>
#include <optional>

#include "core/base/bytes.h"
#include "sidecar/capture/failure.h"

namespace visage::capture {

using Clock = std::chrono::steady_clock;

// Each decodes a file whose header says `size` into 8-bit BGR or, where the file has transparency, BGRA (not
// premultiplied); as stored, not turned. A file that turns out to be of another size is damaged. Silent.
std::optional<Failure> decode_jpeg(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out);
std::optional<Failure> decode_png(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out);
// 16-bit grey as it is, without alpha (CV_16U): depth maps. Any other PNG is damaged.
std::optional<Failure> decode_png16(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out);
// libwebp cannot be stopped; its work is a few times the pixel count, which the caller has bounded.
std::optional<Failure> decode_webp(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out);

// How a codec ended; libjpeg and libpng leave by longjmp, past which only plain values survive.
enum class Stop { kNone, kDamaged, kTimeout };
std::optional<Failure> failure_of(Stop stop);

}  // namespace visage::capture
