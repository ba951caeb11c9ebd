// The files of src/web, as they were when this was built, and the headers that keep a browser strict with
// them.
#pragma once

#include "sidecar/http/exchange.h"

namespace visage::sidecar::page {

// NOT_FOUND where there is no such file.
http::Failure serve_asset(http::Exchange& exchange, std::string_view name);

// For every answer of the page's listener.
void set_page_headers(httplib::Response& response);

}  // namespace visage::sidecar::page
