#include "sidecar/db/outcome.h"

#include <charconv>

namespace visage::sidecar::db {
namespace {

constexpr int kColumns = 10;

std::optional<std::string> text(const PGresult* result, int column) {
  if (PQgetisnull(result, 0, column) != 0) return std::nullopt;
  return std::string(PQgetvalue(result, 0, column), static_cast<size_t>(PQgetlength(result, 0, column)));
}

template <typename T>
std::optional<T> number(const PGresult* result, int column) {
  const std::optional<std::string> digits = text(result, column);
  T value{};
  if (!digits || std::from_chars(digits->data(), digits->data() + digits->size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

}  // namespace

Trouble read_outcome(const PGresult* result, Outcome& out) {
  if (PQntuples(result) != 1 || PQnfields(result) != kColumns)
    return Error{std::string(kUnexpected), "a flow did not return one visage.outcome"};
  const auto id = text(result, 0), decision = text(result, 1), reason = text(result, 2);
  if (!id || !decision || !reason)
    return Error{std::string(kUnexpected), "a flow returned an outcome without a verdict"};
  out = {*id,
         *decision,
         *reason,
         text(result, 3),
         number<double>(result, 4),
         text(result, 5),
         number<int32_t>(result, 6),
         number<double>(result, 7),
         number<int64_t>(result, 8),
         text(result, 9)};
  return {};
}

}  // namespace visage::sidecar::db
