#include "core/keys/roots.h"

#include <charconv>

#include "core/base/secret.h"

namespace visage::keys {
namespace {

constexpr std::string_view kWrapLabel = "visage/wrap/1";
constexpr std::string_view kHashLabel = "visage/keyed-hash/1";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Status bad_line(size_t line, const char* what) {
  return Status::error(Code::kKeyInvalid, "line %zu: %s", line, what);
}

struct ParsedRoot {
  uint32_t version;
  uint32_t size;
  uint8_t bytes[kMaxRootSize];
};

Status parse_root(std::string_view text, size_t line, ParsedRoot& root) {
  const size_t space = text.find_first_of(" \t");
  if (space == std::string_view::npos) return bad_line(line, "expected \"<version> <hex>\"");
  const auto [end, error] = std::from_chars(text.data(), text.data() + space, root.version);
  if (error != std::errc() || end != text.data() + space || root.version == 0)
    return bad_line(line, "version must be a number from 1 to 4294967295");
  const std::string_view hex = trim(text.substr(space));
  if (hex.size() % 2 != 0) return bad_line(line, "odd number of hex digits");
  if (hex.size() < 2 * kMinRootSize)
    return Status::error(Code::kKeyInvalid, "line %zu: key has %zu bytes, at least %zu are needed", line,
                         hex.size() / 2, kMinRootSize);
  if (hex.size() > 2 * kMaxRootSize)
    return Status::error(Code::kKeyInvalid, "line %zu: key has %zu bytes, at most %zu are allowed", line,
                         hex.size() / 2, kMaxRootSize);
  root.size = static_cast<uint32_t>(hex.size() / 2);
  uint8_t any = 0, same = 0;
  for (size_t i = 0; i < root.size; ++i) {
    const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return bad_line(line, "key is not hexadecimal");
    root.bytes[i] = static_cast<uint8_t>(high << 4 | low);
    any |= static_cast<uint8_t>(root.bytes[i] ^ root.bytes[0]);
    same |= root.bytes[i];
  }
  // Catches a key file of zeros or of one repeated byte, the mistake that a random key never makes.
  if (any == 0 || same == 0) return bad_line(line, "key is one repeated byte, not a random key");
  return {};
}

Status derive_wrap_keys(crypto::Engine& engine, Root& root) {
  for (const crypto::Suite suite : {crypto::Suite::kAes256Gcm, crypto::Suite::kSm4CtrHmacSm3}) {
    uint8_t info[kWrapLabel.size() + 1];
    Writer writer(info);
    writer.bytes(as_bytes(kWrapLabel));
    writer.number(suite);
    VISAGE_TRY(engine.hkdf(suite, root.view(), {}, {}, info,
                           {root.wrap_keys[static_cast<size_t>(suite) - 1], crypto::key_size(suite)}));
  }
  return {};
}

// Of suite 1 whatever visage.suite says: names that are made with it must outlive a change of suite.
Status derive_hash_key(crypto::Engine& engine, Root& root) {
  return engine.hkdf(crypto::Suite::kAes256Gcm, root.view(), {}, {}, as_bytes(kHashLabel), root.hash_key);
}

Status parse_lines(crypto::Engine& engine, std::string_view text, RootSet& out) {
  out.count = 0;
  size_t line = 0;
  while (!text.empty()) {
    ++line;
    const size_t newline = text.find('\n');
    const std::string_view row = trim(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (row.empty() || row.front() == '#') continue;
    if (out.count == kMaxRoots)
      return Status::error(Code::kKeyInvalid, "line %zu: more than %zu versions", line, kMaxRoots);
    Secret<ParsedRoot> root;
    VISAGE_TRY(parse_root(row, line, root.value));
    if (out.find(root.value.version) != nullptr)
      return Status::error(Code::kKeyInvalid, "line %zu: version %u appears twice", line, root.value.version);
    VISAGE_TRY(add_root(engine, out, root.value.version, {root.value.bytes, root.value.size}));
  }
  if (out.count == 0)
    return Status::error(Code::kKeyInvalid, "no key: expected lines of \"<version> <hex>\"");
  return {};
}

}  // namespace

Status add_root(crypto::Engine& engine, RootSet& roots, uint32_t version, Bytes key) {
  if (version == 0 || key.size() < kMinRootSize || key.size() > kMaxRootSize || roots.count == kMaxRoots ||
      roots.find(version) != nullptr)
    return Status::error(Code::kKeyInvalid, "root version %u of %zu bytes cannot be added", version,
                         key.size());
  Secret<Root> made;
  made.value.version = version;
  made.value.size = static_cast<uint32_t>(key.size());
  std::memset(made.value.bytes, 0, kMaxRootSize);
  std::memcpy(made.value.bytes, key.data(), key.size());
  VISAGE_TRY(derive_wrap_keys(engine, made.value));
  VISAGE_TRY(derive_hash_key(engine, made.value));
  uint32_t place = roots.count++;
  for (; place > 0 && roots.roots[place - 1].version > version; --place)
    roots.roots[place] = roots.roots[place - 1];
  roots.roots[place] = made.value;
  return {};
}

Status parse_roots(crypto::Engine& engine, std::string_view text, RootSet& out) {
  const Status status = parse_lines(engine, text, out);
  if (!status.ok()) wipe(&out, sizeof out);
  return status;
}

}  // namespace visage::keys
