#include "core/probe/capture_record.h"

#include <algorithm>

namespace visage::probe {
namespace {

constexpr uint8_t kHasValues = 1;

bool has_value(const CaptureRecord& record, const CaptureEntry& entry) {
  return record.has_values && entry.reached != Reached::kMissing;
}

void write_entries(Writer& writer, const CaptureRecord& record, std::span<const CaptureEntry> entries) {
  writer.number(static_cast<uint8_t>(entries.size()));
  for (const CaptureEntry& entry : entries) {
    writer.number(entry.id);
    writer.number(static_cast<uint8_t>(entry.reached));
    if (has_value(record, entry)) writer.number(entry.value);
  }
}

bool read_entries(Reader& reader, const CaptureRecord& record, std::span<CaptureEntry> entries,
                  uint8_t& count) {
  count = reader.number<uint8_t>();
  if (count > entries.size()) return false;
  for (CaptureEntry& entry : entries.first(count)) {
    entry.id = reader.number<uint8_t>();
    const auto state = reader.number<uint8_t>();
    if (state > static_cast<uint8_t>(Reached::kMissing)) return false;
    entry.reached = static_cast<Reached>(state);
    entry.value = has_value(record, entry) ? reader.number<float>() : 0;
  }
  return reader.ok();
}

Reached reached_of(const Quality& quality, std::span<const QualityFloor> floors, const Contents& contents) {
  for (const QualityFloor& floor : floors)
    if (floor.measure == quality.measure) return reached(floor, contents);
  return Reached::kNoFloor;
}

}  // namespace

void record_capture(const Contents& contents, const float* liveness_floor,
                    std::span<const QualityFloor> floors, bool values, CaptureRecord& out) {
  out.has_values = values;
  out.liveness_reason = kNoLivenessReason;
  out.method_count = out.measure_count = 0;
  for (const Liveness& liveness : std::span(contents.liveness, contents.liveness_count)) {
    const Reached state = liveness_floor == nullptr           ? Reached::kNoFloor
                          : liveness.value >= *liveness_floor ? Reached::kReached
                                                              : Reached::kShort;
    out.methods[out.method_count++] = {static_cast<uint8_t>(liveness.method), state, liveness.value};
  }
  const auto add = [&](Measure measure, Reached state, float value) {
    if (out.measure_count < std::size(out.measures))
      out.measures[out.measure_count++] = {static_cast<uint8_t>(measure), state, value};
  };
  for (const Quality& quality : std::span(contents.quality, contents.quality_count)) {
    // A code and no amount of anything, which gets a place of its own.
    if (quality.measure == Measure::kLivenessReason) {
      if (quality.native >= 0 && quality.native < kNoLivenessReason)
        out.liveness_reason = static_cast<uint8_t>(quality.native);
      continue;
    }
    const Reached state = reached_of(quality, floors, contents);
    if (values || state == Reached::kShort) add(quality.measure, state, quality.native);
  }
  for (const QualityFloor& floor : floors)
    if (reached(floor, contents) == Reached::kMissing) add(floor.measure, Reached::kMissing, 0);
}

Status encode_capture(const CaptureRecord& record, MutableBytes out, size_t& size) {
  Writer writer(out);
  writer.number(static_cast<uint8_t>(record.has_values ? kHasValues : 0));
  writer.number(record.liveness_reason);
  write_entries(writer, record, std::span(record.methods, record.method_count));
  write_entries(writer, record, std::span(record.measures, record.measure_count));
  size = writer.position();
  return writer.ok() ? Status() : Status::error(Code::kInternal, "no room for a capture record");
}

Status decode_capture(Bytes bytes, CaptureRecord& out) {
  Reader reader(bytes);
  const auto flags = reader.number<uint8_t>();
  out.has_values = flags == kHasValues;
  out.liveness_reason = reader.number<uint8_t>();
  if (flags > kHasValues || !read_entries(reader, out, out.methods, out.method_count) ||
      !read_entries(reader, out, out.measures, out.measure_count) || !reader.ok() || reader.remaining() != 0)
    return Status::error(Code::kMalformed, "not a capture record");
  return {};
}

}  // namespace visage::probe
