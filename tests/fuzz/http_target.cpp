// Request target: segments are plain text, and come back from their own encoding.
#include "sidecar/http/target.h"

#include "sidecar/app/wiped.h"
#include "sidecar/http/utf8.h"
#include "target.h"

VISAGE_FUZZ_TARGET(http_target) {
  using namespace visage;
  using namespace visage::sidecar;
  std::vector<std::string> segments, again;
  if (!http::split_target(as_text(input), segments)) return;
  fuzz::require(!segments.empty());
  std::string target;
  for (const std::string& segment : segments) {
    fuzz::require(http::is_plain_text(segment));
    target += "/" + http::encode_segment(segment);
  }
  fuzz::require(http::split_target(target, again) && again == segments);
}
