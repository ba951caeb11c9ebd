// What an event keeps of a probe's quality and liveness: which methods judged, which floors were not reached,
// why liveness failed; and the values too, where policy has them kept.   [6.1.2b, 6.1.3b, 8.2.5b]
//
// docs/formats.md "capture record" has the layout. No feature and nothing that a feature could be made from.
#pragma once

#include <span>

#include "core/probe/floor.h"

namespace visage::probe {

inline constexpr size_t kMaxFloors = 32;
inline constexpr uint8_t kNoLivenessReason = 255;

struct CaptureEntry {
  uint8_t id;  // of LivenessMethod or Measure
  Reached reached;
  float value;
};

struct CaptureRecord {
  bool has_values;
  uint8_t liveness_reason;  // docs/liveness.md "reasons"; kNoLivenessReason: the source gave none
  uint8_t method_count;
  CaptureEntry methods[kMaxLiveness];
  uint8_t measure_count;
  CaptureEntry measures[kMaxQuality + kMaxFloors];
};

// flags, reason and two counts; entries of five or, when the measure is missing, one byte of value and state
inline constexpr size_t kMaxCaptureRecord = 4 + (kMaxLiveness + kMaxQuality) * 6 + kMaxFloors * 2;

// `liveness_floor` is null where the channel has none. With `values` all measures are listed, without only
// those that do not reach their floor.
void record_capture(const Contents& contents, const float* liveness_floor,
                    std::span<const QualityFloor> floors, bool values, CaptureRecord& out);

// kInternal when there is no room for it.
Status encode_capture(const CaptureRecord& record, MutableBytes out, size_t& size);
// kMalformed for what encode_capture() would not write.
Status decode_capture(Bytes bytes, CaptureRecord& out);

}  // namespace visage::probe
