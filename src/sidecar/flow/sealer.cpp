#include "sidecar/flow/sealer.h"

#include <algorithm>
#include <memory>

namespace visage::sidecar {

Status Sealer::seal(const probe::Contents& contents, Bytes nonce, WipedBytes& out) {
  thread_local const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  if (!engine) return Status::error(Code::kInternal, "libcrypto lacks an algorithm that probes need");
  Status why;
  const auto key = key_.get(why);
  if (!key) return why;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  probe::Header header{};
  header.captured_at = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  header.expires_at = std::chrono::duration_cast<std::chrono::microseconds>(now + lifetime_).count();
  if (!nonce.empty() && nonce.size() != sizeof header.session_nonce)
    return Status::error(Code::kInvalidArgument, "a session's nonce has %zu bytes",
                         sizeof header.session_nonce);
  std::copy(nonce.begin(), nonce.end(), header.session_nonce);
  out.resize(probe::sealed_size(key->value.suite, contents));
  return probe::seal(*engine, key->value, header, contents, out);
}

}  // namespace visage::sidecar
