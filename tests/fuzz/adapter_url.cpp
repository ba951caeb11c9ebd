// The address of another service, as an operator writes it.
#include "sidecar/adapter/url.h"
#include "target.h"

VISAGE_FUZZ_TARGET(adapter_url) {
  using namespace visage;
  using namespace visage::sidecar::adapter;
  Url url;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  if (!parse_url(text, url).ok()) return;
  fuzz::require(!url.host.empty() && !url.port.empty() && url.path.starts_with('/'));
  // It goes into the head of a request: no part of it may end a line there.
  for (const std::string* part : {&url.host, &url.port, &url.path})
    for (const char c : *part) fuzz::require(c > 0x20 && c < 0x7f);
  fuzz::require(text.ends_with(url.path) && text.find(url.host) != text.npos);
}
