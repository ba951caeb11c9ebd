// Bounds the work: so many pictures are processed at a time, so many requests may wait, the rest is turned
// away.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace visage::sidecar {

class Gate {
 public:
  Gate(size_t slots, size_t line, std::chrono::milliseconds patience)
      : slots_(slots), line_(line), patience_(patience) {}

  // A slot, for as long as it lives.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(Gate* gate) : gate_(gate) {}
    Permit(Permit&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() { release(); }
    void release();
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    Gate* gate_ = nullptr;
  };

  // Waits in order of arrival. An empty permit when the line is full or patience runs out.
  Permit enter();
  // Whether enter() would turn a request away now: asked before its body is read.
  bool full() const;

  size_t running() const;
  size_t waiting() const;

 private:
  void leave();

  const size_t slots_, line_;
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable moved_;
  struct Waiter {
    bool admitted = false;
  };
  std::deque<Waiter*> waiters_;
  size_t running_ = 0;
};

}  // namespace visage::sidecar
