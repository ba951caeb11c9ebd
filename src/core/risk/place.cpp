#include "core/risk/place.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace visage::risk {
namespace {

constexpr double kEarthRadiusKm = 6371.0088;  // mean radius R1 of IUGG

double radians(double degrees) {
  return degrees * std::numbers::pi / 180;
}

}  // namespace

double distance_km(const Position& a, const Position& b) {
  const double latitude = std::sin(radians(b.latitude - a.latitude) / 2);
  const double longitude = std::sin(radians(b.longitude - a.longitude) / 2);
  const double h = latitude * latitude +
                   std::cos(radians(a.latitude)) * std::cos(radians(b.latitude)) * longitude * longitude;
  return 2 * kEarthRadiusKm * std::asin(std::sqrt(std::clamp(h, 0.0, 1.0)));
}

Position coarse(const Position& position) {
  return {std::round(position.latitude * 10) / 10, std::round(position.longitude * 10) / 10};
}

bool within(const Window& window, const LocalTime& time) {
  const auto on = [&](int weekday) { return (window.weekdays >> weekday & 1) != 0; };
  if (window.from == window.until) return on(time.weekday);
  if (window.from < window.until)
    return on(time.weekday) && time.minute >= window.from && time.minute < window.until;
  if (time.minute >= window.from) return on(time.weekday);
  return time.minute < window.until && on((time.weekday + 6) % 7);
}

}  // namespace visage::risk
