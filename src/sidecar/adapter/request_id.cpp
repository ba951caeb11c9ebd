#include "sidecar/adapter/request_id.h"

#include <memory>

#include "core/crypto/engine.h"

namespace visage::sidecar::adapter {
namespace {

crypto::Engine* engine() {
  thread_local const std::unique_ptr<crypto::Engine> own(crypto::Engine::create());
  return own.get();
}

}  // namespace

bool make_request_id(std::string& id) {
  Uuid uuid;
  if (engine() == nullptr || !engine()->random_uuid(uuid).ok()) return false;
  constexpr char kDigits[] = "0123456789abcdef";
  id.clear();
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += kDigits[uuid.bytes[i] >> 4];
    id += kDigits[uuid.bytes[i] & 15];
  }
  return true;
}

bool make_request_id(std::string& id, MutableBytes nonce) {
  return make_request_id(id) && engine()->random(nonce).ok();
}

}  // namespace visage::sidecar::adapter
