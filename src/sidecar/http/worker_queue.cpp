#include "sidecar/http/worker_queue.h"

namespace visage::sidecar::http {
namespace {
thread_local bool refusing = false;
}

WorkerQueue::WorkerQueue(size_t threads, size_t line) : line_(line) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

bool WorkerQueue::overloaded() {
  return refusing;
}

size_t WorkerQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

void WorkerQueue::enqueue(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.size() < line_) {
      tasks_.push_back(std::move(task));
      wake_.notify_one();
      return;
    }
  }
  refusing = true;
  task();
  refusing = false;
}

void WorkerQueue::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
}

void WorkerQueue::work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace visage::sidecar::http
