#include "sidecar/console/assets.h"

#include "sidecar/page/assets.h"

namespace visage::sidecar::console {
namespace {

constexpr page::Asset kAssets[] = {
#include "sidecar/console/assets.inc"  // generated: a file of src/web/console each, and those that it shares
};

}  // namespace

http::Failure serve_asset(http::Exchange& exchange, std::string_view name) {
  page::set_page_headers(*exchange.response, page::Camera::kNever);
  return page::serve(exchange, kAssets, name);
}

}  // namespace visage::sidecar::console
