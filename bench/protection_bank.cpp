#include "protection_bank.h"

#include <cstdio>
#include <cstdlib>

namespace visage::bench::protection {
namespace {

constexpr crypto::Suite kSuite = crypto::Suite::kAes256Gcm;

void check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench-protection: %s\n", status.message);
  std::exit(1);
}

}  // namespace

Bank::Bank() : engine_(crypto::Engine::create()), ring_(std::make_unique<keys::KeyRing>()) {
  for (keys::RootSet* roots : {&ring_->envelope, &ring_->transform}) {
    uint8_t key[keys::kMinRootSize];
    random(key);
    check(keys::add_root(*engine_, *roots, 1, key));
  }
}

Record Bank::seal(const probe::Contents& face, Record record) {
  reference::Header header{};
  header.suite = kSuite;
  header.scheme = reference::kSchemeRfr1;
  header.code_bits = record.code_bits;
  header.owner = record.owner;
  header.generation = record.generation;
  record.envelope.resize(reference::sealed_size(kSuite, record.code_bits));
  check(reference::protect(*engine_, *ring_, record.key, face, header, record.envelope));
  record.id = header.reference;
  return record;
}

Record Bank::enrol(const probe::Contents& face, size_t code_bits, uint32_t institution) {
  Record record{};
  record.owner.institution = institution;
  record.generation = 1;
  record.code_bits = static_cast<uint16_t>(code_bits);
  check(engine_->random_uuid(record.owner.subject));
  uint8_t wrapped[keys::kMaxWrappedSize];
  const MutableBytes used(wrapped, keys::wrapped_size(kSuite));
  check(keys::new_subject_key(*engine_, *ring_, kSuite, record.owner, used));
  check(keys::unwrap_subject_key(*engine_, *ring_, record.owner, used, record.key));
  return seal(face, std::move(record));
}

Record Bank::renew(const Record& old, const probe::Contents& face) {
  Record record = old;
  ++record.generation;
  return seal(face, std::move(record));
}

reference::Opened Bank::open(const Record& record) {
  reference::Header header;
  reference::Opened opened;
  check(reference::open(*engine_, *ring_, record.owner, record.key, record.stored(), header, opened));
  return opened;
}

bool Bank::opens(const Record& record, Bytes envelope) {
  reference::Header header;
  reference::Opened opened;
  return reference::open(*engine_, *ring_, record.owner, record.key, {record.id, record.generation, envelope},
                         header, opened)
      .ok();
}

double Bank::score(const Record& record, const probe::Contents& face) {
  match::Comparison comparison;
  check(match::compare(*engine_, *ring_, record.owner, record.key, record.stored(), face, comparison));
  if (!comparison.comparable) check(Status::error(Code::kInternal, "a face of another model"));
  return comparison.score;
}

void Bank::random(MutableBytes out) {
  check(engine_->random(out));
}

}  // namespace visage::bench::protection
