// Finished work on disk.
#pragma once

#include <cstdio>
#include <map>
#include <mutex>

#include "liveness_sheet.h"

namespace visage::bench {

// Sheets that an earlier run finished, so that a run that was cut off goes on where it was. What made them is
// part of the digest: of a file with another digest nothing is taken, and it is written anew.
class SheetCache {
 public:
  SheetCache(const std::string& path, const std::string& digest);
  ~SheetCache();
  SheetCache(const SheetCache&) = delete;
  SheetCache& operator=(const SheetCache&) = delete;

  bool find(const std::string& unit, Sheet& out) const;
  void keep(const std::string& unit, const Sheet& sheet);

 private:
  std::map<std::string, Sheet> earlier_;
  std::FILE* file_ = nullptr;
  std::mutex mutex_;
};

}  // namespace visage::bench
