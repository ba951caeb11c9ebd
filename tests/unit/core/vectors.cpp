#include "vectors.h"

#include <fstream>

namespace visage::test {

const std::vector<std::string>& VectorRecord::all(const std::string& name) const {
  static const std::vector<std::string> kNone;
  const auto found = values_.find(name);
  return found == values_.end() ? kNone : found->second;
}

const std::string& VectorRecord::text(const std::string& name) const {
  const auto& values = all(name);
  if (values.size() != 1) throw std::runtime_error("a record needs one \"" + name + "\"");
  return values[0];
}

Uuid VectorRecord::uuid(const std::string& name) const {
  const Buffer value = bytes(name);
  Uuid made = {};
  if (value.size() == sizeof made.bytes) std::memcpy(made.bytes, value.data(), value.size());
  return made;
}

void VectorRecord::load_root(const std::string& name, keys::RootSet& custody) const {
  const Status status = keys::parse_roots(engine(), text(name), custody);
  if (!status.ok()) throw std::runtime_error(status.message);
}

void VectorRecord::add(const std::string& line) {
  const size_t equals = line.find(" = ");
  if (equals == std::string::npos) {
    if (!line.ends_with(" =")) throw std::runtime_error("not a vector line: " + line.substr(0, 40));
    values_[line.substr(0, line.size() - 2)].emplace_back();
    return;
  }
  values_[line.substr(0, equals)].push_back(line.substr(equals + 3));
}

std::vector<VectorRecord> read_vectors(const std::string& file) {
  std::ifstream in(std::string(VISAGE_VECTORS) + "/" + file);
  if (!in) throw std::runtime_error("run from the top of the source tree: no " VISAGE_VECTORS "/" + file);
  std::vector<VectorRecord> records(1);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    if (line.empty() && !records.back().empty()) records.emplace_back();
    if (!line.empty()) records.back().add(line);
  }
  if (records.back().empty()) records.pop_back();
  return records;
}

std::vector<float> formula_feature(uint32_t seed, size_t dimension) {
  std::vector<float> values;
  for (uint64_t x = seed; values.size() < dimension;) {
    x = (1103515245 * x + 12345) % (uint64_t{1} << 31);
    values.push_back(static_cast<float>(static_cast<int>((x >> 16) % 2001) - 1000));
  }
  return values;
}

std::vector<float> mixed_feature(uint32_t seed, size_t dimension, int own, int other) {
  std::vector<float> values = formula_feature(seed, dimension);
  const std::vector<float> next = formula_feature(seed + 1, dimension);
  for (size_t i = 0; i < dimension; ++i)
    values[i] = static_cast<float>(own) * values[i] + static_cast<float>(other) * next[i];
  return values;
}

}  // namespace visage::test
