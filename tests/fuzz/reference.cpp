// Reference envelope: structure, then opening as its own header asks for.
#include "core/reference/reference.h"

#include "target.h"

VISAGE_FUZZ_TARGET(reference) {
  using namespace visage;
  reference::Header header;
  if (!reference::parse(input, header).ok()) return;
  fuzz::require(reference::allowed_code_bits(header.code_bits) &&
                input.size() == reference::sealed_size(header.suite, header.code_bits));
  fuzz::require(header.dimension >= probe::kMinDimension && header.dimension <= probe::kMaxDimension);
  const keys::SubjectKey subject_key = {};
  const reference::Stored row = {header.reference, header.generation, input};
  static reference::Opened opened;
  fuzz::require(
      !reference::open(fuzz::engine(), fuzz::ring(), header.owner, subject_key, row, header, opened).ok());
}
