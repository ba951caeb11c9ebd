// PNG through libpng: every colour type and depth to 8-bit BGR or BGRA.
#include <png.h>

#include <cstring>

#include "sidecar/capture/codecs.h"

namespace visage::capture {
namespace {

// One decompression, owned by decode_png(). libpng leaves by longjmp, so nothing in run() may have a
// destructor.
struct Job {
  png_structp codec = nullptr;
  png_infop info = nullptr;
  Bytes rest;
  Clock::time_point deadline;
  Stop stop = Stop::kNone;

  ~Job() { png_destroy_read_struct(&codec, &info, nullptr); }
};

[[noreturn]] void leave(png_structp codec, Stop why) {
  static_cast<Job*>(png_get_error_ptr(codec))->stop = why;
  png_longjmp(codec, 1);
}

void on_error(png_structp codec, png_const_charp) {
  leave(codec, Stop::kDamaged);
}
void on_warning(png_structp, png_const_charp) {}  // never to stderr

void on_read(png_structp codec, png_bytep out, size_t size) {
  Job& job = *static_cast<Job*>(png_get_io_ptr(codec));
  if (size > job.rest.size()) leave(codec, Stop::kDamaged);
  std::memcpy(out, job.rest.data(), size);
  job.rest = job.rest.subspan(size);
}

enum class Target { kColour, kDepth };  // 8-bit BGR(A); 16-bit grey

void run(Job& job, cv::Size size, Target target, cv::Mat& out) {
  if (setjmp(png_jmpbuf(job.codec)) != 0) return;
  png_set_read_fn(job.codec, &job, on_read);
  // Texts and profiles are not looked at; a chunk that inflates without end is cut off.
  png_set_chunk_cache_max(job.codec, 64);
  png_set_chunk_malloc_max(job.codec, 1 << 20);
  png_read_info(job.codec, job.info);
  if (target == Target::kColour) {
    png_set_expand(
        job.codec);  // palettes, 1–4 bit grey, and transparency by colour, to 8-bit samples and alpha
    png_set_scale_16(job.codec);  // rounds; strip would cut
    png_set_gray_to_rgb(job.codec);
    png_set_bgr(job.codec);
  } else {
    png_set_swap(job.codec);  // the file is big-endian, every machine that this runs on is not
  }
  const int passes = png_set_interlace_handling(job.codec);
  png_read_update_info(job.codec, job.info);
  const int channels = png_get_channels(job.codec, job.info);
  if (png_get_image_width(job.codec, job.info) != static_cast<unsigned>(size.width) ||
      png_get_image_height(job.codec, job.info) != static_cast<unsigned>(size.height) ||
      png_get_bit_depth(job.codec, job.info) != (target == Target::kDepth ? 16 : 8) ||
      (target == Target::kDepth ? channels != 1 : channels != 3 && channels != 4))
    leave(job.codec, Stop::kDamaged);
  out.create(size, target == Target::kDepth ? CV_16U : CV_8UC(channels));
  for (int pass = 0; pass < passes; ++pass)
    for (int y = 0; y < size.height; ++y) {
      if (Clock::now() > job.deadline) leave(job.codec, Stop::kTimeout);
      png_read_row(job.codec, out.ptr(y), nullptr);
    }
  png_read_end(job.codec, nullptr);  // the last checksums
}

std::optional<Failure> decode(Bytes image, cv::Size size, Clock::time_point deadline, Target target,
                              cv::Mat& out) {
  Job job;
  job.rest = image;
  job.deadline = deadline;
  job.codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
  if (job.codec != nullptr) job.info = png_create_info_struct(job.codec);
  if (job.info == nullptr)
    job.stop = Stop::kDamaged;
  else
    run(job, size, target, out);
  return failure_of(job.stop);
}

}  // namespace

std::optional<Failure> decode_png(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out) {
  return decode(image, size, deadline, Target::kColour, out);
}
std::optional<Failure> decode_png16(Bytes image, cv::Size size, Clock::time_point deadline, cv::Mat& out) {
  return decode(image, size, deadline, Target::kDepth, out);
}

}  // namespace visage::capture
