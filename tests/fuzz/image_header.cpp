// What an upload claims to be, before anything is decoded; and EXIF on its own, as the payload of all
// formats.
#include "sidecar/capture/format.h"
#include "target.h"

VISAGE_FUZZ_TARGET(image_header) {
  using namespace visage;
  using namespace visage::capture;
  const int orientation = exif_orientation(input);
  fuzz::require(orientation >= 1 && orientation <= 8);
  ImageHeader header;
  const std::optional<Failure> failure = read_header(input, header);
  if (failure) {
    fuzz::require(failure->code == FailureCode::kUnsupportedFormat ||
                  failure->code == FailureCode::kUnreadableImage);
    fuzz::require(!failure->detail.empty());
    return;
  }
  fuzz::require(sniff(input) == header.format);
  fuzz::require(header.width >= 1 && header.height >= 1);
  fuzz::require(header.orientation >= 1 && header.orientation <= 8);
}
