#include "sidecar/openapi/openapi.h"

namespace visage::sidecar {
namespace {
constexpr char kDocument[] =
#include "sidecar/openapi/openapi.inc"  // generated: openapi.yaml as a raw string literal
    ;
}  // namespace

std::string_view openapi_document() {
  return {kDocument, sizeof kDocument - 1};
}

}  // namespace visage::sidecar
