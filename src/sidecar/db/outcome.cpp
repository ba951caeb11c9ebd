#include "sidecar/db/outcome.h"

#include <charconv>

namespace visage::sidecar::db {
namespace {

constexpr int kColumns = 10;
constexpr int kFpir = 10, kSubject = 11, kRank = 12;  // of an identification

std::optional<std::string> text(const PGresult* result, int column, int row = 0) {
  if (PQgetisnull(result, row, column) != 0) return std::nullopt;
  return std::string(PQgetvalue(result, row, column), static_cast<size_t>(PQgetlength(result, row, column)));
}

template <typename T>
std::optional<T> number(const PGresult* result, int column) {
  const std::optional<std::string> digits = text(result, column);
  T value{};
  if (!digits || std::from_chars(digits->data(), digits->data() + digits->size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

Trouble read_verdict(const PGresult* result, Outcome& out) {
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
         text(result, 9),
         std::nullopt,
         {}};
  return {};
}

}  // namespace

Trouble read_outcome(const PGresult* result, Outcome& out) {
  if (PQntuples(result) != 1 || PQnfields(result) != kColumns)
    return Error{std::string(kUnexpected), "a flow did not return one visage.outcome"};
  return read_verdict(result, out);
}

Trouble read_identification(const PGresult* result, Outcome& out) {
  const int rows = PQntuples(result);
  if (rows < 1 || PQnfields(result) != kRank + 1)
    return Error{std::string(kUnexpected), "identify did not return its rows"};
  if (Trouble trouble = read_verdict(result, out)) return trouble;
  out.fpir = number<double>(result, kFpir);
  // Who a name belongs to is the verdict: it is never passed on with another one, or out of order.
  for (int row = 0; row < rows; ++row) {
    const auto subject = text(result, kSubject, row);
    if (!subject && rows == 1) break;
    if (!subject || out.decision != "accept" || text(result, kRank, row) != std::to_string(row + 1))
      return Error{std::string(kUnexpected), "identify returned rows that do not fit each other"};
    out.candidates.push_back(*subject);
  }
  return {};
}

}  // namespace visage::sidecar::db
