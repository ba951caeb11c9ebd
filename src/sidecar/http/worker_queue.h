// The threads that serve connections, and a bounded line of connections before them.
//
// httplib's own pool queues without bound. Here a connection that finds the line full is served at once in
// "overload" mode: the task runs on the accepting thread and must only refuse (see overloaded()).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sidecar/http/connection.h"

namespace visage::sidecar::http {

class WorkerQueue : public httplib::TaskQueue {
 public:
  WorkerQueue(size_t threads, size_t line);
  ~WorkerQueue() override { shutdown(); }

  void enqueue(std::function<void()> task) override;
  // Runs what is queued, then ends the threads.
  void shutdown() override;

  // True inside a task that was not queued because the line is full.
  static bool overloaded();
  // Connections that wait for a thread now.
  size_t waiting() const;

 private:
  void work();

  const size_t line_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

}  // namespace visage::sidecar::http
