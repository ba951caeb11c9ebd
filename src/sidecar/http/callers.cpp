#include "sidecar/http/callers.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "core/crypto/engine.h"

namespace visage::sidecar::http {
namespace {

// The names of the routing table (api.cpp).
constexpr std::string_view kRoutes[] = {"register",
                                        "verify",
                                        "compare",
                                        "cancel",
                                        "list_references",
                                        "add_reference",
                                        "drop_reference",
                                        "open_session",
                                        "read_session",
                                        "claim_session",
                                        "close_session",
                                        "present_factor",
                                        "list_factors",
                                        "enrol_factor",
                                        "replace_factor",
                                        "remove_factor",
                                        "unlock",
                                        "replace_reference",
                                        "replace_references",
                                        "quality",
                                        "watch_session",
                                        "read_notice",
                                        "list_consents",
                                        "give_consent",
                                        "withdraw_consent",
                                        "frame_key",
                                        "id_photo",
                                        "send_code",
                                        "check_code",
                                        "identify",
                                        "list_sessions",
                                        "read_history",
                                        "read_reports",
                                        "read_policy"};
// Naming somebody by the face alone, and reading what everybody did, are rights that are given by name: *
// does not include them.
constexpr std::string_view kByNameAlone[] = {"identify", "list_sessions", "read_history", "read_reports",
                                             "read_policy"};
constexpr std::string_view kBlanks = " \t\r";

std::string_view next_field(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view field = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(field.size());
  return field;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::array<unsigned char, 32>> parse_digest(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  if (text.size() != 64) return std::nullopt;
  for (size_t i = 0; i < 32; ++i) {
    const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return digest;
}

bool parse_routes(std::string_view text, std::vector<std::string>& out) {
  if (text == "*") return true;
  if (text.starts_with("*,")) {  // and what is named beside all
    text.remove_prefix(2);
    out.emplace_back("*");
  }
  while (!text.empty()) {
    const std::string_view route = text.substr(0, text.find(','));
    if (std::find(std::begin(kRoutes), std::end(kRoutes), route) == std::end(kRoutes)) return false;
    out.emplace_back(route);
    text.remove_prefix(std::min(route.size() + 1, text.size()));
  }
  return !out.empty();
}

}  // namespace

bool Caller::may(std::string_view route) const {
  const bool all = routes.empty() || routes.front() == "*";
  const bool by_name =
      std::find(std::begin(kByNameAlone), std::end(kByNameAlone), route) != std::end(kByNameAlone);
  return (all && !by_name) || std::find(routes.begin(), routes.end(), route) != routes.end();
}

Status Callers::parse_line(std::string_view line, size_t number) {
  const std::string_view credential = next_field(line), name = next_field(line), routes = next_field(line);
  const std::string_view rate = next_field(line);
  Caller caller{std::string(name), {}, {}};
  // The line may hold a token that somebody put there by mistake, so no message repeats it.
  if (!next_field(line).empty() || !parse_routes(routes, caller.routes))
    return Status::error(
        Code::kInvalidArgument,
        "callers file, line %zu: expected <credential> <caller> <routes>, routes being * or a "
        "comma-separated list of names of docs/http-api.md, and if any a rate such as 20/s",
        number);
  if (!rate.empty() && !parse_rate(rate, caller.rate.emplace()))
    return Status::error(Code::kInvalidArgument, "callers file, line %zu: a rate is 20/s or 90/min", number);
  constexpr std::string_view kToken = "sha256:", kCertificate = "certificate:";
  if (credential.starts_with(kToken)) {
    const auto digest = parse_digest(credential.substr(kToken.size()));
    if (!digest)
      return Status::error(Code::kInvalidArgument, "callers file, line %zu: sha256: needs 64 hex digits",
                           number);
    tokens_.push_back({*digest, std::move(caller)});
  } else if (credential.starts_with(kCertificate) && credential.size() > kCertificate.size()) {
    certificates_.push_back({std::string(credential.substr(kCertificate.size())), std::move(caller)});
  } else {
    return Status::error(Code::kInvalidArgument,
                         "callers file, line %zu: a credential is sha256:<hex> or certificate:<name>",
                         number);
  }
  return {};
}

Status Callers::parse(std::string_view text) {
  tokens_.clear();
  certificates_.clear();
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    VISAGE_TRY(parse_line(line, number));
  }
  if (tokens_.empty() && certificates_.empty())
    return Status::error(Code::kInvalidArgument, "the callers file names no caller");
  return {};
}

void Callers::allow_any_certificate() {
  tokens_.clear();
  certificates_ = {{"*", {"", {}, {}}}};
}

const Caller* Callers::by_token(std::string_view token) const {
  unsigned char digest[crypto::kDigestSize];
  crypto::sha256(as_bytes(token), digest);
  const Caller* found = nullptr;
  for (const Token& entry : tokens_)
    if (CRYPTO_memcmp(entry.digest.data(), digest, sizeof digest) == 0) found = &entry.caller;
  return found;
}

const Caller* Callers::by_certificate(std::string_view name) const {
  const Caller* any = nullptr;
  for (const Certificate& entry : certificates_) {
    if (entry.name == name) return &entry.caller;
    if (entry.name == "*") any = &entry.caller;
  }
  return any;
}

}  // namespace visage::sidecar::http
