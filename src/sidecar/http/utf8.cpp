#include "sidecar/http/utf8.h"

#include <cstdint>

namespace visage::sidecar::http {
namespace {

struct Form {
  uint8_t mask, lead;
  int more;
  uint32_t least;
};
constexpr Form kForms[] = {
    {0x80, 0x00, 0, 0}, {0xe0, 0xc0, 1, 0x80}, {0xf0, 0xe0, 2, 0x800}, {0xf8, 0xf0, 3, 0x10000}};

bool allowed(uint32_t point) {
  if (point < 0x20) return point == '\t' || point == '\n' || point == '\r';
  return point != 0x7f && !(point >= 0x80 && point < 0xa0) && !(point >= 0xd800 && point < 0xe000) &&
         point <= 0x10ffff;
}

}  // namespace

bool is_plain_text(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<uint8_t>(text[at++]);
    const Form* form = nullptr;
    for (const Form& candidate : kForms)
      if ((lead & candidate.mask) == candidate.lead) form = &candidate;
    if (form == nullptr || text.size() - at < static_cast<size_t>(form->more)) return false;
    uint32_t point = lead & static_cast<uint8_t>(~form->mask);
    for (int i = 0; i < form->more; ++i) {
      const auto next = static_cast<uint8_t>(text[at++]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    if (point < form->least || !allowed(point)) return false;
  }
  return true;
}

}  // namespace visage::sidecar::http
