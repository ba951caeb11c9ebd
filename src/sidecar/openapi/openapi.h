// The API's description, as it is served at /openapi.yaml: openapi.yaml of this directory, built in.
#pragma once

#include <string_view>

namespace visage::sidecar {

std::string_view openapi_document();

}  // namespace visage::sidecar
