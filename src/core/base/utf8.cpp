#include "core/base/utf8.h"

namespace visage {
namespace {

struct Form {
  uint8_t mask, lead;
  size_t more;
  uint32_t least;
};
constexpr Form kForms[] = {
    {0x80, 0x00, 0, 0}, {0xe0, 0xc0, 1, 0x80}, {0xf0, 0xe0, 2, 0x800}, {0xf8, 0xf0, 3, 0x10000}};

}  // namespace

bool take_code_point(std::string_view& text, uint32_t& point) {
  const auto lead = static_cast<uint8_t>(text.front());
  const Form* form = nullptr;
  for (const Form& candidate : kForms)
    if ((lead & candidate.mask) == candidate.lead) form = &candidate;
  if (form == nullptr || text.size() <= form->more) return false;
  point = lead & static_cast<uint8_t>(~form->mask);
  for (size_t i = 1; i <= form->more; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return false;
    point = point << 6 | (next & 0x3f);
  }
  text.remove_prefix(1 + form->more);
  return point >= form->least && !(point >= 0xd800 && point < 0xe000) && point <= 0x10ffff;
}

}  // namespace visage
