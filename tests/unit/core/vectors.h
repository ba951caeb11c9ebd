// The known-answer vectors of tests/vectors: how they are read and how their features are made.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support.h"

namespace visage::test {

class VectorRecord {
 public:
  const std::string& text(const std::string& name) const;
  const std::vector<std::string>& all(const std::string& name) const;
  Buffer bytes(const std::string& name) const { return from_hex(text(name)); }
  int64_t number(const std::string& name) const { return std::stoll(text(name)); }
  Uuid uuid(const std::string& name) const;
  Suite suite() const { return static_cast<Suite>(number("suite")); }
  // A ring that holds this one root in the custody.
  void load_root(const std::string& name, keys::RootSet& custody) const;
  void add(const std::string& line);
  bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

std::vector<VectorRecord> read_vectors(const std::string& file);

std::vector<float> formula_feature(uint32_t seed, size_t dimension);
// own·F(seed) + other·F(seed + 1), not scaled.
std::vector<float> mixed_feature(uint32_t seed, size_t dimension, int own, int other);

}  // namespace visage::test
