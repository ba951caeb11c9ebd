// Where and when: distances on the globe, windows of the week.
#pragma once

#include <cstdint>

namespace visage::risk {

struct Position {
  double latitude;   // degrees, north positive
  double longitude;  // degrees, east positive
};

// Great-circle distance by the haversine formula on a sphere of the Earth's mean radius; at most 0.6 % off.
double distance_km(const Position& a, const Position& b);

// To a tenth of a degree, some 11 km: what is kept of a person's whereabouts is no finer. Two positions that
// were both rounded are off by at most 16 km together.
Position coarse(const Position& position);

inline constexpr int kMinutesPerDay = 24 * 60;

// A moment as a clock and a calendar on the wall show it.
struct LocalTime {
  uint8_t weekday;  // 0 is Monday
  int16_t minute;   // of the day
};

// From one time of the day to another, on some days of the week. One that ends no later than it begins runs
// past midnight and belongs to the day on which it began; equal ends make the whole day.
struct Window {
  int16_t from;      // minute of the day, included
  int16_t until;     // not included
  uint8_t weekdays;  // bit 0 is Monday
};
bool within(const Window& window, const LocalTime& time);

}  // namespace visage::risk
