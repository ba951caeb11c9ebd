#include "sidecar/http/problem.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace visage::sidecar::http {
namespace {

struct Entry {
  ProblemCode code;
  int status;
  std::string_view name;
  std::string_view title;
};

constexpr Entry kEntries[] = {
    {ProblemCode::kMalformedRequest, 400, "MALFORMED_REQUEST", "The request is not well-formed HTTP"},
    {ProblemCode::kMalformedJson, 400, "MALFORMED_JSON", "The body is not the JSON that is expected"},
    {ProblemCode::kMalformedMultipart, 400, "MALFORMED_MULTIPART",
     "The body is not well-formed multipart/form-data"},
    {ProblemCode::kMalformedBase64, 400, "MALFORMED_BASE64", "A picture is not valid base64"},
    {ProblemCode::kInvalidValue, 400, "INVALID_VALUE", "A value is not allowed"},
    {ProblemCode::kMissingPart, 400, "MISSING_PART", "A required part is missing"},
    {ProblemCode::kDuplicatePart, 400, "DUPLICATE_PART", "A part was given twice"},
    {ProblemCode::kUnknownPart, 400, "UNKNOWN_PART", "A part is not known here"},
    {ProblemCode::kUnsupportedMediaType, 415, "UNSUPPORTED_MEDIA_TYPE", "The content type is not supported"},
    {ProblemCode::kLengthRequired, 411, "LENGTH_REQUIRED", "Content-Length is required"},
    {ProblemCode::kBodyTooLarge, 413, "BODY_TOO_LARGE", "The body is too large"},
    {ProblemCode::kHeadersTooLarge, 431, "HEADERS_TOO_LARGE", "The request headers are too large"},
    {ProblemCode::kUriTooLong, 414, "URI_TOO_LONG", "The request target is too long"},
    {ProblemCode::kRequestTimeout, 408, "REQUEST_TIMEOUT", "The request took too long to arrive"},
    {ProblemCode::kNoFace, 422, "NO_FACE", "No face was found"},
    {ProblemCode::kSeveralFaces, 422, "SEVERAL_FACES", "Several faces were found"},
    {ProblemCode::kUnreadableImage, 422, "UNREADABLE_IMAGE", "The picture cannot be decoded"},
    {ProblemCode::kUnsupportedImage, 422, "UNSUPPORTED_IMAGE", "The picture's format is not supported"},
    {ProblemCode::kImageTooLarge, 422, "IMAGE_TOO_LARGE", "The picture has too many pixels"},
    {ProblemCode::kImageTooSmall, 422, "IMAGE_TOO_SMALL", "The picture is too small to hold a usable face"},
    {ProblemCode::kDecodeTimeout, 422, "DECODE_TIMEOUT", "Decoding the picture took too long"},
    {ProblemCode::kPoorPhoto, 422, "POOR_PHOTO", "The photo is too poor for a comparison"},
    {ProblemCode::kUnauthenticated, 401, "UNAUTHENTICATED", "The caller is not known"},
    {ProblemCode::kForbidden, 403, "FORBIDDEN", "The caller may not do this"},
    {ProblemCode::kNotFound, 404, "NOT_FOUND", "There is nothing here"},
    {ProblemCode::kMethodNotAllowed, 405, "METHOD_NOT_ALLOWED", "The method is not allowed here"},
    {ProblemCode::kRateLimited, 429, "RATE_LIMITED", "The caller calls too often"},
    {ProblemCode::kNotReady, 503, "NOT_READY", "The service is not ready"},
    {ProblemCode::kBusy, 503, "BUSY", "The service is busy"},
    {ProblemCode::kDatabaseUnavailable, 503, "DATABASE_UNAVAILABLE", "The database cannot be reached"},
    {ProblemCode::kDatabaseTimeout, 503, "DATABASE_TIMEOUT", "The database did not answer in time"},
    {ProblemCode::kDatabaseReadOnly, 503, "DATABASE_READ_ONLY", "The database accepts no writes"},
    {ProblemCode::kDatabaseMisconfigured, 500, "DATABASE_MISCONFIGURED", "The database refuses the service"},
    {ProblemCode::kUndetermined, 502, "UNDETERMINED", "Another service gave no answer that counts"},
    {ProblemCode::kInternal, 500, "INTERNAL", "Something failed here"},
};

const Entry& find(ProblemCode code) {
  const auto* entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                   [code](const Entry& candidate) { return candidate.code == code; });
  return entry == std::end(kEntries) ? *(std::end(kEntries) - 1) : *entry;
}

}  // namespace

int status_of(ProblemCode code) {
  return find(code).status;
}
std::string_view name_of(ProblemCode code) {
  return find(code).name;
}

std::string render_problem(const Problem& problem, std::string_view request_id) {
  const Entry& entry = find(problem.code);
  nlohmann::ordered_json document = {
      {"type", "urn:pg-visage:problem:" + std::string(entry.name)},
      {"title", entry.title},
      {"status", entry.status},
      {"code", entry.name},
      {"detail", problem.detail},
      {"instance", "urn:uuid:" + std::string(request_id)},
  };
  if (!problem.reason.empty()) document["reason"] = problem.reason;
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace visage::sidecar::http
