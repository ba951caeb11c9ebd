// The system under attack: the product's own keys, references and comparison, with what each theft takes.
#pragma once

#include <memory>
#include <vector>

#include "core/match/match.h"

namespace visage::bench::protection {

// One subject with one reference, as the database has it, and the subject's key unwrapped.
struct Record {
  keys::Owner owner;
  keys::SubjectKey key;
  Uuid id;
  uint32_t generation;
  uint16_t code_bits;
  std::vector<uint8_t> envelope;  // all that L0 sees

  reference::Stored stored() const { return {id, generation, envelope}; }
  Bytes code_bytes(const reference::Opened& opened) const { return {opened.code, code_bits / 8u}; }
};

// Any fault of the product ends the benchmark: no figure is better than a wrong one.
class Bank {
 public:
  Bank();

  // A new subject of an institution with its first reference.
  Record enrol(const probe::Contents& face, size_t code_bits, uint32_t institution = 1);
  // The same subject's next generation, from another capture.
  Record renew(const Record& old, const probe::Contents& face);
  // What a thief of both roots has: the code and the masks of the rotation.
  reference::Opened open(const Record& record);
  // Whether `envelope` opens where `record` is expected.
  bool opens(const Record& record, Bytes envelope);
  // The estimated cosine, by the comparison that the database runs.
  double score(const Record& record, const probe::Contents& face);
  void random(MutableBytes out);

 private:
  Record seal(const probe::Contents& face, Record record);

  std::unique_ptr<crypto::Engine> engine_;
  std::unique_ptr<keys::KeyRing> ring_;
};

}  // namespace visage::bench::protection
