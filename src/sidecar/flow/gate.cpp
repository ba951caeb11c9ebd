#include "sidecar/flow/gate.h"

#include <algorithm>

namespace visage::sidecar {

void Gate::Permit::release() {
  if (Gate* gate = std::exchange(gate_, nullptr); gate != nullptr) gate->leave();
}

Gate::Permit Gate::enter() {
  std::unique_lock lock(mutex_);
  if (running_ < slots_) {
    ++running_;
    return Permit(this);
  }
  if (waiters_.size() >= line_) return {};
  Waiter self;
  waiters_.push_back(&self);
  if (moved_.wait_for(lock, patience_, [&] { return self.admitted; })) return Permit(this);
  waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &self));
  return {};
}

void Gate::leave() {
  {
    const std::lock_guard lock(mutex_);
    if (waiters_.empty()) {
      --running_;
      return;
    }
    // The slot goes to the first in line, not to whoever calls enter() next.
    waiters_.front()->admitted = true;
    waiters_.pop_front();
  }
  moved_.notify_all();
}

bool Gate::full() const {
  const std::lock_guard lock(mutex_);
  return running_ >= slots_ && waiters_.size() >= line_;
}

size_t Gate::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

size_t Gate::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

}  // namespace visage::sidecar
