#include "sidecar/capture/wiping.h"

#include <mutex>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>

namespace visage::capture {
namespace {

// OpenCV's standard allocator, with the pixels zeroed before they go back to it.
class WipingMatAllocator final : public cv::MatAllocator {
 public:
  explicit WipingMatAllocator(cv::MatAllocator* standard) : standard_(standard) {}

  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, size_t* step, cv::AccessFlag flags,
                         cv::UMatUsageFlags usage) const override {
    cv::UMatData* memory = standard_->allocate(dims, sizes, type, data, step, flags, usage);
    memory->prevAllocator = memory->currAllocator = this;
    return memory;
  }
  bool allocate(cv::UMatData* memory, cv::AccessFlag, cv::UMatUsageFlags) const override {
    return memory != nullptr;
  }
  void deallocate(cv::UMatData* memory) const override {
    if (memory == nullptr) return;
    // A Mat over the caller's memory is the caller's to wipe.
    if ((memory->flags & cv::UMatData::USER_ALLOCATED) == 0) wipe(memory->origdata, memory->size);
    standard_->deallocate(memory);
  }

 private:
  cv::MatAllocator* standard_;
};

}  // namespace

void prepare_opencv() {
  static std::once_flag once;
  std::call_once(once, [] {
    static WipingMatAllocator allocator(cv::Mat::getStdAllocator());
    cv::Mat::setDefaultAllocator(&allocator);
    cv::setNumThreads(1);
    // Decoders warn on damaged uploads; a caller must not be able to fill the log.
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  });
}

}  // namespace visage::capture
