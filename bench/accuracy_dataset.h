// Labelled pictures straight from a tar file: one folder a person. Nothing is unpacked onto the disk.
#pragma once

#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace visage::bench {

struct Picture {
  std::string name;  // path inside the archive
  size_t person;     // index, by folder
  Bytes bytes;       // into the mapped archive
};

class Dataset {
 public:
  // False when the file is missing or is not a tar of pictures.
  bool open(const std::string& path);
  Dataset() = default;
  ~Dataset();
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  const std::vector<Picture>& pictures() const { return pictures_; }
  size_t people() const { return people_; }
  Bytes archive() const { return archive_; }

 private:
  Bytes archive_;
  std::vector<Picture> pictures_;
  size_t people_ = 0;
};

}  // namespace visage::bench
