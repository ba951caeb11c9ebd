#include "sidecar/page/assets.h"

namespace visage::sidecar::page {
namespace {

constexpr Asset kAssets[] = {
#include "sidecar/page/assets.inc"  // generated: {"name", R"web(content)web"}, a file of src/web each
};

struct Type {
  std::string_view ending;
  const char* type;
};
constexpr Type kTypes[] = {{".html", "text/html; charset=utf-8"},
                           {".css", "text/css; charset=utf-8"},
                           {".js", "text/javascript; charset=utf-8"}};

// Nothing but our own files, nothing inline, nothing evaluated, no frame around us; pictures only go out by
// POST.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self' blob: "
    "mediastream:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

}  // namespace

http::Failure serve_asset(http::Exchange& exchange, std::string_view name) {
  return serve(exchange, kAssets, name);
}

http::Failure serve(http::Exchange& exchange, std::span<const Asset> assets, std::string_view name) {
  for (const Asset& asset : assets) {
    if (asset.name != name) continue;
    const char* type = "text/plain";
    for (const Type& known : kTypes)
      if (name.ends_with(known.ending)) type = known.type;
    exchange.response->status = 200;
    exchange.response->set_content(asset.content.data(), asset.content.size(), type);
    return {};
  }
  return http::Problem{http::ProblemCode::kNotFound, "There is no such file."};
}

void set_page_headers(httplib::Response& response, Camera camera) {
  response.set_header("Content-Security-Policy", kPolicy);
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_header("Permissions-Policy",
                      std::string(camera == Camera::kOwn ? "camera=(self)" : "camera=()") +
                          ", microphone=(), geolocation=(), display-capture=(), browsing-topics=()");
  response.set_header("Cross-Origin-Opener-Policy", "same-origin");
  response.set_header("Cross-Origin-Resource-Policy", "same-origin");
  response.set_header("X-Frame-Options", "DENY");
}

}  // namespace visage::sidecar::page
