#include "accuracy_dataset.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <map>

namespace visage::bench {
namespace {

constexpr size_t kBlock = 512;  // POSIX ustar

// Octal digits, padded with spaces or zeros.
size_t octal(Bytes field) {
  size_t value = 0;
  for (const uint8_t c : field)
    if (c >= '0' && c <= '7') value = value * 8 + (c - '0');
  return value;
}

std::string text(Bytes field) {
  const char* begin = reinterpret_cast<const char*>(field.data());
  return {begin, strnlen(begin, field.size())};
}

}  // namespace

bool Dataset::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct stat status;
  void* memory = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size > 0)
    memory = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) return false;
  archive_ = {static_cast<const uint8_t*>(memory), static_cast<size_t>(status.st_size)};
  std::map<std::string, size_t> people;
  for (size_t at = 0; at + kBlock <= archive_.size();) {
    const Bytes header = archive_.subspan(at, kBlock);
    if (header[0] == 0) break;
    const size_t size = octal(header.subspan(124, 12));
    at += kBlock;
    if (size > archive_.size() - at) break;
    const std::string prefix = text(header.subspan(345, 155));
    const std::string name = (prefix.empty() ? "" : prefix + "/") + text(header.first(100));
    const size_t slash = name.rfind('/');
    if ((header[156] == '0' || header[156] == 0) && name.ends_with(".jpg") && slash != std::string::npos) {
      const size_t person = people.emplace(name.substr(0, slash), people.size()).first->second;
      pictures_.push_back({name, person, archive_.subspan(at, size)});
    }
    at += (size + kBlock - 1) / kBlock * kBlock;
  }
  people_ = people.size();
  return !pictures_.empty();
}

Dataset::~Dataset() {
  if (!archive_.empty()) munmap(const_cast<uint8_t*>(archive_.data()), archive_.size());
}

}  // namespace visage::bench
