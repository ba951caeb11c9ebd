// An upload through the codecs, inside limits so small that memory or time spent past them shows.
#include "image.h"

VISAGE_FUZZ_TARGET(image_decode) {
  visage::fuzz::decode_within_limits(input);
}
