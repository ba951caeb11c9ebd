// Byte views and the little-endian reader and writer that every envelope format uses.
//
// Reader and Writer never read or write past their span: they latch a failure instead, so a parser runs to
// the end and asks ok() once.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace visage {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// RFC 4122 identifier; the layout of PostgreSQL's uuid.
struct Uuid {
  uint8_t bytes[16];

  friend bool operator==(const Uuid& a, const Uuid& b) { return std::memcmp(a.bytes, b.bytes, 16) == 0; }
  Bytes view() const { return {bytes, 16}; }
};

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the envelope formats are read in place as little-endian");

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    T value{};
    copy(&value, sizeof value);
    return value;
  }
  Uuid uuid() {
    Uuid value{};
    copy(value.bytes, sizeof value.bytes);
    return value;
  }
  void copy(void* to, size_t size) {
    if (size > remaining()) {
      failed_ = true;
      return;
    }
    std::memcpy(to, bytes_.data() + position_, size);
    position_ += size;
  }
  Bytes take(size_t size) {
    if (size > remaining()) {
      failed_ = true;
      return {};
    }
    Bytes taken = bytes_.subspan(position_, size);
    position_ += size;
    return taken;
  }
  size_t position() const { return position_; }
  size_t remaining() const { return failed_ ? 0 : bytes_.size() - position_; }
  bool ok() const { return !failed_; }

 private:
  Bytes bytes_;
  size_t position_ = 0;
  bool failed_ = false;
};

class Writer {
 public:
  explicit Writer(MutableBytes bytes) : bytes_(bytes) {}

  template <typename T>
  void number(T value) {
    write(&value, sizeof value);
  }
  void uuid(const Uuid& value) { write(value.bytes, sizeof value.bytes); }
  void bytes(Bytes value) { write(value.data(), value.size()); }
  void write(const void* from, size_t size) {
    if (failed_ || size > bytes_.size() - position_) {
      failed_ = true;
      return;
    }
    if (size != 0) std::memcpy(bytes_.data() + position_, from, size);
    position_ += size;
  }
  size_t position() const { return position_; }
  Bytes written() const { return {bytes_.data(), failed_ ? 0 : position_}; }
  bool ok() const { return !failed_; }

 private:
  MutableBytes bytes_;
  size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace visage
