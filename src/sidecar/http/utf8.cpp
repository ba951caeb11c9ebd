#include "sidecar/http/utf8.h"

#include "core/base/utf8.h"

namespace visage::sidecar::http {
namespace {

bool allowed(uint32_t point) {
  if (point < 0x20) return point == '\t' || point == '\n' || point == '\r';
  return point != 0x7f && !(point >= 0x80 && point < 0xa0);
}

}  // namespace

bool is_plain_text(std::string_view text) {
  for (uint32_t point; !text.empty();)
    if (!take_code_point(text, point) || !allowed(point)) return false;
  return true;
}

}  // namespace visage::sidecar::http
