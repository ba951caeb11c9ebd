// When does what a backend keeps of the policy hold no longer?
//
// Every flow asks for policy, and reading it would take longer than the comparison. A trigger of each policy
// table invalidates the table as DDL would: PostgreSQL then tells every backend with the commit, and the
// changing transaction at once, also when it rolls back.
#pragma once

#include "pg/pg.h"

extern "C" {
#include "common/hashfn.h"
}

namespace visage::pg {

// Changes when any policy table, capture source or role membership may have changed. Ask before reading, keep
// the answer with what was read, and compare with the next answer. Needs a transaction.
uint64 policy_generation();

// Some values that a backend keeps, by key, as long as the generation they were read under lasts. Both types
// are plain memory; a key is compared bytewise, so its holder zeroes it before filling it in.
template <typename Key, typename Value, uint32 kPlaces>
class Kept {
 public:
  // The kept value, or null; then the caller reads it and calls keep() with the same generation.
  const Value* find(const Key& key, uint64 generation) const {
    const Place& place = places_[place_of(key)];
    return place.generation == generation && memcmp(&place.key, &key, sizeof key) == 0 ? &place.value
                                                                                       : nullptr;
  }
  void keep(const Key& key, const Value& value, uint64 generation) {
    Place& place = places_[place_of(key)];
    memcpy(static_cast<void*>(&place.key), &key, sizeof key);
    place.value = value;
    place.generation = generation;
  }

 private:
  struct Place {
    uint64 generation;
    Key key;
    Value value;
  };
  static uint32 place_of(const Key& key) {
    return hash_bytes(reinterpret_cast<const unsigned char*>(&key), static_cast<int>(sizeof key)) % kPlaces;
  }

  Place places_[kPlaces];
};

// Reads of what is kept use a snapshot of now: it outlives the transaction, whose own snapshot may be old.
void begin_newest();
void end_newest();

}  // namespace visage::pg
