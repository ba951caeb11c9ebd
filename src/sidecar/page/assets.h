// The files of src/web, as they were when this was built, and the headers that keep a browser strict with
// them.
#pragma once

#include <span>

#include "sidecar/http/exchange.h"

namespace visage::sidecar::page {

struct Asset {
  std::string_view name, content;
};
http::Failure serve(http::Exchange& exchange, std::span<const Asset> assets, std::string_view name);

// NOT_FOUND where there is no such file.
http::Failure serve_asset(http::Exchange& exchange, std::string_view name);

// For every answer of the page's listener; and for the console's files, which have no use for a camera.
enum class Camera { kOwn, kNever };
void set_page_headers(httplib::Response& response, Camera camera = Camera::kOwn);

}  // namespace visage::sidecar::page
