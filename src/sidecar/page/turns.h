// One picture in work at a time for each page: whoever holds a link takes nobody else's place. [8.2.3c]
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace visage::sidecar::page {

class Turns {
 public:
  // May have a picture looked at, for as long as it lives.
  using Turn = std::shared_ptr<Turns>;

  // Empty while another one of the same name lives. Must outlive its turns. Thread-safe.
  Turn take(const std::string& whose);

 private:
  std::mutex mutex_;
  std::set<std::string> taken_;
};

}  // namespace visage::sidecar::page
