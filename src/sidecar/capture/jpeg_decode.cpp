// JPEG through libjpeg: baseline, progressive, greyscale and CMYK to BGR.
#include <csetjmp>
#include <cstdio>
// libjpeg's header needs FILE and size_t before it.
#include <jpeglib.h>
// and its error codes are a separate header.
#include <jerror.h>

#include "sidecar/capture/codecs.h"

namespace visage::capture {
namespace {

// One decompression. libjpeg leaves it by longjmp, so nothing in run() may have a destructor.
struct Job {
  jpeg_decompress_struct codec;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf leave;
  Clock::time_point deadline;
  Stop stop = Stop::kNone;
};

Job& job_of(j_common_ptr codec) {
  return *static_cast<Job*>(codec->client_data);
}

[[noreturn]] void leave(j_common_ptr codec, Stop why) {
  job_of(codec).stop = why;
  std::longjmp(job_of(codec).leave, 1);
}

void on_error(j_common_ptr codec) {
  leave(codec, Stop::kDamaged);
}

// Level -1 is a warning: data that is missing or contradicts itself. Bytes that a camera left between
// segments are harmless, and so are a wrong JFIF revision and a bad Adobe transform code.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  switch (codec->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
      return;
    default:
      leave(codec, Stop::kDamaged);
  }
}

void on_output(j_common_ptr) {}  // never to stderr

void on_progress(j_common_ptr codec) {
  if (Clock::now() > job_of(codec).deadline) leave(codec, Stop::kTimeout);
}

// Rows of libjpeg's CMYK, which Adobe stores inverted, to BGR.
void cmyk_to_bgr(const uint8_t* from, uint8_t* to, unsigned width, bool inverted) {
  for (unsigned x = 0; x < width; ++x, from += 4, to += 3) {
    const int k = inverted ? from[3] : 255 - from[3];
    for (int c = 0; c < 3; ++c)
      to[2 - c] = static_cast<uint8_t>((inverted ? from[c] : 255 - from[c]) * k / 255);
  }
}

// The caller made `out` of the size that the header states; a file that then says otherwise is damaged.
void run(Job& job, Bytes image, cv::Mat& out, uint8_t* row) {
  jpeg_decompress_struct& codec = job.codec;
  if (setjmp(job.leave) != 0) return;
  jpeg_create_decompress(&codec);
  codec.client_data = &job;
  job.progress.progress_monitor = on_progress;
  codec.progress = &job.progress;
  jpeg_mem_src(&codec, image.data(), image.size());
  jpeg_read_header(&codec, TRUE);
  const bool cmyk = codec.jpeg_color_space == JCS_CMYK || codec.jpeg_color_space == JCS_YCCK;
  codec.out_color_space = cmyk ? JCS_CMYK : JCS_EXT_BGR;
  jpeg_start_decompress(&codec);
  if (codec.output_width != static_cast<unsigned>(out.cols) ||
      codec.output_height != static_cast<unsigned>(out.rows))
    leave(reinterpret_cast<j_common_ptr>(&codec), Stop::kDamaged);
  while (codec.output_scanline < codec.output_height) {
    uint8_t* to = out.ptr(static_cast<int>(codec.output_scanline));
    JSAMPROW rows[1] = {cmyk ? row : to};
    jpeg_read_scanlines(&codec, rows, 1);
    if (cmyk) cmyk_to_bgr(row, to, codec.output_width, codec.saw_Adobe_marker != FALSE);
  }
  jpeg_finish_decompress(&codec);
}

}  // namespace

std::optional<Failure> decode_jpeg(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out) {
  out.create(size, CV_8UC3);
  cv::Mat row(1, size.width * 4, CV_8U);
  Job job{};
  job.deadline = deadline;
  job.codec.err = jpeg_std_error(&job.errors);
  job.codec.client_data = &job;
  job.errors.error_exit = on_error;
  job.errors.emit_message = on_message;
  job.errors.output_message = on_output;
  run(job, image, out, row.ptr());
  jpeg_destroy_decompress(&job.codec);
  return failure_of(job.stop);
}

}  // namespace visage::capture
