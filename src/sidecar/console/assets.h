// The files of src/web/console, as they were when this was built. They hold nothing: who loads them needs no
// right.
#pragma once

#include "sidecar/http/exchange.h"

namespace visage::sidecar::console {

// NOT_FOUND where there is no such file. Sets the headers that keep a browser strict.
http::Failure serve_asset(http::Exchange& exchange, std::string_view name);

}  // namespace visage::sidecar::console
