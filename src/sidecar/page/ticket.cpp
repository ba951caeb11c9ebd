#include "sidecar/page/ticket.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/crypto/engine.h"

namespace visage::sidecar::page {
namespace {

constexpr crypto::Suite kSuite = crypto::Suite::kAes256Gcm;
constexpr size_t kTagSize = crypto::tag_size(kSuite);
constexpr size_t kMaxText = 48 * 1024;
constexpr std::string_view kKeyLabel = "pg_visage/capture-page/1";

using Key = Secret<KeyBytes<crypto::key_size(kSuite)>>;

crypto::Engine* engine_of_thread() {
  thread_local const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  return engine.get();
}

constexpr size_t kSaltSize = 16;
// Each token has a key of its own, so one nonce serves: random ones under one key would have to stop at 2^32.
constexpr uint8_t kNonce[crypto::kNonceSize] = {};

Status derive(SourceKeyFile& file, crypto::Engine& engine, Bytes salt, Key& out) {
  Status why;
  const auto source = file.get(why);
  if (!source) return why;
  const Bytes root{source->value.key, sizeof source->value.key};
  return engine.hkdf(kSuite, root, source->value.source.view(), salt, as_bytes(kKeyLabel), out.value.span());
}

// RFC 4648 section 5 without padding: it stands in a URL's fragment.
std::string to_url(Bytes bytes) {
  std::string text(base64_size(bytes.size()), '\0');
  encode_base64(bytes, text.data());
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

bool from_url(std::string_view given, WipedBytes& out) {
  std::string text(given);
  if (text.find_first_of("+/=") != std::string::npos) return false;
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.resize((text.size() + 3) / 4 * 4, '=');
  out.resize(text.size() / 4 * 3);
  size_t size = 0;
  if (!decode_base64(text, out, size).ok()) return false;
  out.resize(size);
  return true;
}

// An array and not an object: the text has to fit into a QR code.
std::string to_json(const Ticket& t) {
  const nlohmann::json document = {t.session,        t.subject,          t.purpose, t.scenario,    t.channel,
                                   t.caller,         t.context,          t.notice,  t.purposes,    t.nonce,
                                   t.crosses,        t.must_claim,       t.agreed,  t.valid_until, t.factors,
                                   t.max_candidates, t.document_required};
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Ticket from_json(const nlohmann::json& d) {
  return {d.at(0), d.at(1),  d.at(2),  d.at(3),  d.at(4),  d.at(5),  d.at(6),  d.at(7), d.at(8),
          d.at(9), d.at(10), d.at(11), d.at(12), d.at(13), d.at(14), d.at(15), d.at(16)};
}

Status broken() {
  return Status::error(Code::kAuthenticationFailed, "this link was not made here");
}

}  // namespace

Status TicketSealer::seal(const Ticket& ticket, Use use, std::string& out) const {
  crypto::Engine* const engine = engine_of_thread();
  if (engine == nullptr)
    return Status::error(Code::kInternal, "libcrypto lacks an algorithm that links need");
  const std::string plain = to_json(ticket);
  WipedBytes sealed(kSaltSize + plain.size() + kTagSize);
  const MutableBytes salt{sealed.data(), kSaltSize};
  VISAGE_TRY(engine->random(salt));
  Key key;
  VISAGE_TRY(derive(key_, *engine, salt, key));
  const uint8_t aad[] = {static_cast<uint8_t>(use)};
  VISAGE_TRY(engine->seal(kSuite, key.value.view(), kNonce, aad, as_bytes(plain),
                          MutableBytes(sealed).subspan(kSaltSize)));
  engine->forget_keys();
  out = to_url(sealed);
  return {};
}

Status TicketSealer::open(std::string_view text, Use use, Ticket& out) const {
  WipedBytes sealed;
  if (text.size() > kMaxText || !from_url(text, sealed) || sealed.size() < kSaltSize + kTagSize)
    return broken();
  crypto::Engine* const engine = engine_of_thread();
  if (engine == nullptr)
    return Status::error(Code::kInternal, "libcrypto lacks an algorithm that links need");
  const Bytes salt = Bytes(sealed).first(kSaltSize);
  Key key;
  VISAGE_TRY(derive(key_, *engine, salt, key));
  WipedBytes plain(sealed.size() - kSaltSize - kTagSize);
  const uint8_t aad[] = {static_cast<uint8_t>(use)};
  const Status status =
      engine->open(kSuite, key.value.view(), kNonce, aad, Bytes(sealed).subspan(kSaltSize), plain);
  engine->forget_keys();
  if (!status.ok()) return broken();
  try {
    out = from_json(nlohmann::json::parse(as_text(plain)));
  } catch (const nlohmann::json::exception&) {  // sealed by another version
    return broken();
  }
  return {};
}

}  // namespace visage::sidecar::page
