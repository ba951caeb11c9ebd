#include "target.h"

namespace visage::fuzz {

crypto::Engine& engine() {
  static crypto::Engine* const instance = crypto::Engine::create();
  require(instance != nullptr);
  return *instance;
}

const keys::KeyRing& ring() {
  static const keys::KeyRing instance = [] {
    keys::KeyRing made = {};
    for (uint32_t version = 1; version <= 4; ++version) {
      uint8_t key[keys::kMinRootSize];
      for (size_t i = 0; i < sizeof key; ++i) key[i] = static_cast<uint8_t>(version * 50 + 3 * i);
      require(keys::add_root(engine(), made.envelope, version, key).ok());
    }
    made.transform = made.envelope;
    return made;
  }();
  return instance;
}

}  // namespace visage::fuzz
