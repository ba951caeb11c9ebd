#include "quality_defects.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "liveness_made.h"
#include "sidecar/quality/colour.h"

namespace visage::bench {
namespace {

using capture::Point;
using probe::Measure;
using enum Follows;

Damaged plain(cv::Mat picture) {
  return {std::move(picture), {}};
}

// Applies a gain to linear light, per channel (blue, green, red).
cv::Mat expose(const cv::Mat& picture, const std::array<double, 3>& gains) {
  cv::Mat table(1, 256, CV_8UC3), out;
  for (int i = 0; i < 256; ++i)
    for (int c = 0; c < 3; ++c) {
      const double light =
          std::min(1.0, gains[static_cast<size_t>(c)] * quality::linear(static_cast<uint8_t>(i)));
      const double encoded = light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
      table.at<cv::Vec3b>(0, i)[c] = cv::saturate_cast<uint8_t>(255 * encoded);
    }
  cv::LUT(picture, table, out);
  return out;
}

Damaged blur(const Face& face, double sigma) {
  cv::Mat out = face.picture.clone();
  if (sigma > 0) cv::GaussianBlur(face.picture, out, {0, 0}, sigma);
  return plain(out);
}

Damaged shake(const Face& face, double length) {
  cv::Mat out;
  cv::blur(face.picture, out, {static_cast<int>(length), 1});
  return plain(out);
}

Damaged light(const Face& face, double gain) {
  return plain(expose(face.picture, {gain, gain, gain}));
}

// One side of the face in the shade: linear light falls from 1 to 1 − strength across it.
Damaged side_light(const Face& face, double strength) {
  const float left = face.mesh.points[234].x, right = face.mesh.points[454].x;
  cv::Mat out = face.picture.clone();
  for (int x = 0; x < out.cols; ++x) {
    const double share = std::clamp((static_cast<double>(x) - left) / std::max(1.0f, right - left), 0.0, 1.0);
    const double gain = 1 - strength * share;
    out.col(x) = expose(face.picture.col(x).clone(), {gain, gain, gain}) + cv::Scalar();
  }
  return plain(out);
}

Damaged turn(const Face& face, double degrees) {
  cv::Mat out;
  const cv::Point2f middle(static_cast<float>(face.picture.cols) / 2,
                           static_cast<float>(face.picture.rows) / 2);
  cv::warpAffine(face.picture, out, cv::getRotationMatrix2D(middle, -degrees, 1), face.picture.size(),
                 cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  return plain(out);
}

// Cuts one side away until `share` of the face's width or height is gone.
enum class Side { kLeft, kRight, kTop, kBottom };
Damaged crop(Side side, const Face& face, double share) {
  const auto& points = face.mesh.points;
  cv::Rect rest({}, face.picture.size());
  const double wide = static_cast<double>(points[454].x - points[234].x),
               high = static_cast<double>(points[152].y - points[10].y);
  constexpr int kLeast = 64;
  const auto cut = [&](double at, int size) { return std::clamp(static_cast<int>(at), 0, size - kLeast); };
  if (side == Side::kLeft)
    rest.width -= rest.x = cut(static_cast<double>(points[234].x) + share * wide, rest.width);
  if (side == Side::kTop)
    rest.height -= rest.y = cut(static_cast<double>(points[10].y) + share * high, rest.height);
  if (side == Side::kRight)
    rest.width -= cut(rest.width - static_cast<double>(points[454].x) + share * wide, rest.width);
  if (side == Side::kBottom)
    rest.height -= cut(rest.height - static_cast<double>(points[152].y) + share * high, rest.height);
  return plain(face.picture(rest).clone());
}

Damaged compress(const Face& face, double quality) {
  Damaged out;
  cv::imencode(".jpg", face.picture, out.file, {cv::IMWRITE_JPEG_QUALITY, static_cast<int>(quality)});
  out.picture = cv::imdecode(out.file, cv::IMREAD_COLOR);
  return out;
}

Damaged blue_cast(const Face& face, double strength) {
  return plain(expose(face.picture, {1, 1 - 0.5 * strength, 1 - strength}));
}
Damaged red_cast(const Face& face, double strength) {
  return plain(expose(face.picture, {1 - strength, 1 - strength, 1}));
}

Damaged stretch(const Face& face, double factor) {
  cv::Mat out;
  cv::resize(face.picture, out, {}, factor, 1, cv::INTER_LINEAR);
  return plain(out);
}

Damaged shrink(const Face& face, double factor) {
  cv::Mat out;
  cv::resize(face.picture, out, {}, factor, factor, cv::INTER_AREA);
  return plain(out);
}

// The same picture, smaller, in a frame of the same size.
Damaged far_away(const Face& face, double factor) {
  cv::Mat out(face.picture.size(), CV_8UC3, cv::Scalar::all(127)), small;
  cv::resize(face.picture, small, {}, factor, factor, cv::INTER_AREA);
  small.copyTo(out(cv::Rect({(out.cols - small.cols) / 2, (out.rows - small.rows) / 2}, small.size())));
  return plain(out);
}

// What the person does, shown by a puppet of the mesh.
Damaged act(float Pose::*what, const Face& face, double amount) {
  Pose pose;
  pose.*what = static_cast<float>(amount);
  return plain(Puppet(face.picture, face.mesh).show(pose));
}

Damaged posterise(const Face& face, double bits) {
  const int step = 1 << (8 - static_cast<int>(bits));
  cv::Mat table(1, 256, CV_8U), out;
  for (int i = 0; i < 256; ++i) table.at<uint8_t>(0, i) = static_cast<uint8_t>(i / step * step);
  cv::LUT(face.picture, table, out);
  return plain(out);
}

cv::Rect around(const Face& face, std::initializer_list<size_t> points, float grow) {
  std::vector<Point> list;
  for (const size_t index : points) list.push_back(face.mesh.points[index]);
  cv::Rect2f box = cv::boundingRect(list);
  box.x -= grow;
  box.y -= grow;
  box.width += 2 * grow;
  box.height += 2 * grow;
  return cv::Rect(box) & cv::Rect({}, face.picture.size());
}

// A patch that covers `share` of the box, from its left.
Damaged cover(const Face& face, cv::Rect box, double share, const cv::Scalar& colour) {
  cv::Mat out = face.picture.clone();
  box.width = static_cast<int>(share * box.width);
  if (box.width > 0) out(box).setTo(colour);
  return plain(out);
}

Damaged sunglasses(const Face& face, double share) {
  return cover(face, around(face, {33, 263, 159, 145, 386, 374}, 14), share, {12, 12, 12});
}
Damaged mask(const Face& face, double share) {
  return cover(face, around(face, {61, 291, 0, 17}, 16), share, {200, 170, 120});
}
Damaged scarf(const Face& face, double share) {
  return cover(face, around(face, {150, 379, 17, 152}, 6), share, {180, 90, 40});
}

Damaged glare(const Face& face, double radius) {
  cv::Mat out = face.picture.clone();
  for (const size_t lid : {159, 386})
    if (radius > 0)
      cv::circle(out, cv::Point(face.mesh.points[lid]), static_cast<int>(radius), cv::Scalar::all(255),
                 cv::FILLED);
  return plain(out);
}

// A second person beside the first, ever larger: the same picture, which serves as well.
Damaged company(const Face& face, double size) {
  cv::Mat out(face.picture.rows, 2 * face.picture.cols, CV_8UC3, cv::Scalar::all(127));
  face.picture.copyTo(out(cv::Rect({}, face.picture.size())));
  if (size > 0) {
    cv::Mat other;
    cv::resize(face.picture, other, {}, size, size, cv::INTER_AREA);
    other.copyTo(out(cv::Rect(face.picture.cols, 0, other.cols, other.rows)));
  }
  return plain(out);
}

Damaged wallpaper(const Face& face, double contrast) {
  cv::Mat out = face.picture.clone();
  cv::Mat pattern(out.size(), CV_8UC3);
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x)
      pattern.at<cv::Vec3b>(y, x) =
          cv::Vec3b::all(cv::saturate_cast<uint8_t>(128 + ((x / 6 + y / 6) % 2 ? 1 : -1) * contrast));
  std::vector<cv::Point> outline, hull;
  Point middle(0, 0);
  for (size_t i = 0; i < 468; ++i) middle += face.mesh.points[i] / 468.0f;
  for (size_t i = 0; i < 468; ++i) outline.emplace_back(middle + 1.5f * (face.mesh.points[i] - middle));
  cv::convexHull(outline, hull);
  cv::Mat keep = cv::Mat::zeros(out.size(), CV_8U);
  cv::fillConvexPoly(keep, hull, 255);
  pattern.copyTo(out, keep == 0);
  return plain(out);
}

// Skin smoothed as a camera's beautifier does it.
Damaged beautify(const Face& face, double strength) {
  cv::Mat out = face.picture.clone(), smooth;
  if (strength <= 0) return plain(out);
  cv::bilateralFilter(face.picture, smooth, 0, 10 * strength, 2 + strength);
  std::vector<cv::Point> points, hull;
  for (size_t i = 0; i < 468; ++i) points.emplace_back(face.mesh.points[i]);
  cv::convexHull(points, hull);
  cv::Mat skin = cv::Mat::zeros(out.size(), CV_8U);
  cv::fillConvexPoly(skin, hull, 255);
  smooth.copyTo(out, skin);
  return plain(out);
}

// Paint over part of the picture, as thick as `share`.
void paint(cv::Mat& picture, const cv::Mat& where, double share, const cv::Scalar& colour) {
  cv::Mat coat;
  cv::addWeighted(picture, 1 - share, cv::Mat(picture.size(), picture.type(), colour), share, 0, coat);
  coat.copyTo(picture, where);
}

Damaged lenses(const Face& face, double share) {
  cv::Mat out = face.picture.clone(), where = cv::Mat::zeros(out.size(), CV_8U);
  for (const size_t iris : {468, 473})
    cv::circle(where, cv::Point(face.mesh.points[iris]),
               cvRound(capture::distance(face.mesh.points[iris], face.mesh.points[iris + 1])), 255,
               cv::FILLED);
  paint(out, where, share, {200, 60, 120});
  return plain(out);
}

Damaged make_up(const Face& face, double share) {
  constexpr std::array<size_t, 20> kLips = {61,  185, 40,  39,  37,  0,  267, 269, 270, 409,
                                            291, 375, 321, 405, 314, 17, 84,  181, 91,  146};
  constexpr std::array<size_t, 12> kLids[] = {{33, 246, 161, 160, 159, 158, 157, 173, 133, 65, 52, 53},
                                              {263, 466, 388, 387, 386, 385, 384, 398, 362, 295, 282, 283}};
  cv::Mat out = face.picture.clone();
  const auto fill = [&](std::span<const size_t> points, const cv::Scalar& colour) {
    std::vector<cv::Point> polygon;
    for (const size_t index : points) polygon.emplace_back(face.mesh.points[index]);
    cv::Mat where = cv::Mat::zeros(out.size(), CV_8U);
    cv::fillPoly(where, std::vector<std::vector<cv::Point>>{polygon}, 255);
    paint(out, where, share, colour);
  };
  fill(kLips, {30, 10, 170});
  for (const auto& lid : kLids) fill(lid, {110, 20, 50});
  return plain(out);
}

// The depth map of a made head in the face's place, after `change` of each measured pixel.
using Change = std::function<double(double step, Random& random)>;
Damaged depth_map(const Face& face, const Change& change) {
  Random random(20261123);
  Damaged out = plain(face.picture);
  out.depth = make_depth(Shape::kHead, face.picture.size(), face.mesh, random);
  for (int y = 0; y < out.depth->steps.rows; ++y)
    for (int x = 0; x < out.depth->steps.cols; ++x)
      if (uint16_t& step = out.depth->steps.at<uint16_t>(y, x); step != 0)
        step = cv::saturate_cast<uint16_t>(change(step, random));
  return out;
}

bool chance(Random& random, double share) {
  return std::bernoulli_distribution(share)(random);
}

Damaged depth_missing(const Face& face, double share) {
  return depth_map(face, [&](double step, Random& random) { return chance(random, share) ? 0 : step; });
}
Damaged depth_points_in_the_air(const Face& face, double share) {
  constexpr double kOff = 80;  // mm
  return depth_map(face,
                   [&](double step, Random& random) { return chance(random, share) ? step - kOff : step; });
}
Damaged depth_noise(const Face& face, double sigma) {
  return depth_map(face, [&](double step, Random& random) {
    return step + sigma * std::normal_distribution<double>()(random);
  });
}
Damaged depth_flat(const Face& face, double share) {
  constexpr double kMiddle = 500;  // mm
  return depth_map(face, [&](double step, Random&) { return kMiddle + (1 - share) * (step - kMiddle); });
}
Damaged depth_hole(const Face& face, double eye_distances) {
  Damaged out = depth_map(face, [](double step, Random&) { return step; });
  const double eyes = static_cast<double>(capture::distance(face.mesh.points[33], face.mesh.points[263]));
  if (eye_distances > 0)
    cv::circle(out.depth->steps, cv::Point(face.mesh.points[50]), static_cast<int>(eye_distances * eyes), 0,
               cv::FILLED);
  return out;
}
Damaged depth_coarse(const Face& face, double factor) {
  Damaged out = depth_map(face, [](double step, Random&) { return step; });
  cv::resize(out.depth->steps.clone(), out.depth->steps, {}, factor, factor, cv::INTER_NEAREST);
  return out;
}
Damaged depth_late(const Face& face, double milliseconds) {
  Damaged out = depth_map(face, [](double step, Random&) { return step; });
  out.depth->settings.skew_ms = milliseconds;
  return out;
}

}  // namespace

std::vector<Defect> make_defects() {
  return {
      {"blur", {0, 1, 2, 3, 5}, blur, {{Measure::kSharpness, kFalls}}},
      {"shake", {1, 5, 9, 15, 23}, shake, {{Measure::kSharpness, kFalls}}},
      {"darkness",
       {1, 0.5, 0.25, 0.12, 0.06},
       light,
       {{Measure::kLuminanceMean, kFalls},
        {Measure::kLuminanceVariance, kFalls},
        {Measure::kUnderExposurePrevention, kRises},
        {Measure::kDynamicRange, kFalls}}},
      {"glaring-light",
       {1, 2, 4, 8, 16},
       light,
       {{Measure::kOverExposurePrevention, kRises}, {Measure::kLuminanceMean, kRises}}},
      {"darkness-grey", {0.5, 0.25, 0.12, 0.06}, light, {{Measure::kGreyRange, kFalls}}},
      {"side-light",
       {0.4, 0.6, 0.8, 0.95},
       side_light,
       {{Measure::kShadowPrevention, kFalls}, {Measure::kIlluminationUniformity, kFalls}}},
      {"rotation", {0, 10, 20, 30}, turn, {{Measure::kHeadPoseRoll, kRises}}},
      {"crop", {-0.4, -0.2, 0, 0.15}, std::bind_front(crop, Side::kLeft), {{Measure::kLeftwardCrop, kFalls}}},
      {"crop-right",
       {-0.4, -0.2, 0, 0.15},
       std::bind_front(crop, Side::kRight),
       {{Measure::kRightwardCrop, kFalls}}},
      {"crop-above",
       {-0.2, -0.1, 0, 0.1},
       std::bind_front(crop, Side::kTop),
       {{Measure::kMarginAbove, kFalls}}},
      {"crop-below",
       {-0.2, -0.1, 0, 0.1},
       std::bind_front(crop, Side::kBottom),
       {{Measure::kMarginBelow, kFalls}}},
      {"crop-into-face",
       {-0.1, 0.15, 0.25, 0.35},
       std::bind_front(crop, Side::kLeft),
       {{Measure::kFaceCompleteness, kFalls}}},
      {"jpeg",
       {95, 75, 50, 25, 10},
       compress,
       {{Measure::kCompressionArtifacts, kFalls}, {Measure::kBlockiness, kRises}}},
      {"blue-cast",
       {0.3, 0.5, 0.7, 0.85},
       blue_cast,
       {{Measure::kLightColour, kRises}, {Measure::kNaturalColour, kRises}}},
      {"red-cast",
       {0.3, 0.5, 0.7, 0.85},
       red_cast,
       {{Measure::kLightColour, kRises}, {Measure::kNaturalColour, kRises}}},
      {"stretch", {1.1, 1.2, 1.35, 1.5}, stretch, {{Measure::kGeometricDistortion, kRises}}},
      {"shrink",
       {1, 0.75, 0.5, 0.3},
       shrink,
       {{Measure::kInterEyeDistance, kFalls},
        {Measure::kFaceWidth, kFalls},
        {Measure::kImageWidth, kFalls},
        {Measure::kImageHeight, kFalls}}},
      {"far-away", {1, 0.8, 0.6, 0.45}, far_away, {{Measure::kHeadSize, kFalls}}},
      {"turned-head", {0, 8, 16, 24}, std::bind_front(act, &Pose::yaw), {{Measure::kHeadPoseYaw, kRises}}},
      {"bowed-head", {0, 7, 14, 20}, std::bind_front(act, &Pose::pitch), {{Measure::kHeadPosePitch, kRises}}},
      {"closed-eyes", {0, 0.35, 0.7, 1}, std::bind_front(act, &Pose::blink), {{Measure::kEyesOpen, kFalls}}},
      {"open-mouth",
       {0, 0.3, 0.6, 1},
       std::bind_front(act, &Pose::open),
       {{Measure::kMouthClosed, kRises}, {Measure::kExpressionNeutrality, kRises}}},
      {"posterise", {8, 6, 5, 4}, posterise, {{Measure::kGreyLevels, kFalls}}},
      {"sunglasses", {0, 0.5, 1}, sunglasses, {{Measure::kEyesVisible, kRises}}},
      {"mask", {0, 0.5, 1}, mask, {{Measure::kMouthOcclusionPrevention, kRises}}},
      {"scarf", {0, 0.5, 1}, scarf, {{Measure::kFaceOcclusionPrevention, kRises}}},
      {"glare", {0, 4, 8, 12}, glare, {{Measure::kEyeGlare, kRises}}},
      {"company",
       {0, 0.5, 0.7, 0.9},
       company,
       {{Measure::kSingleFacePresent, kRises}, {Measure::kFacesFound, kRises}}},
      {"beautify", {0, 1, 2, 4, 8}, beautify, {{Measure::kSkinTexture, kFalls}}},
      {"lenses", {0.2, 0.5, 0.8}, lenses, {{Measure::kIrisColour, kRises}}},
      {"make-up", {0, 0.3, 0.6, 0.9}, make_up, {{Measure::kMakeUp, kRises}}},
      {"depth-missing",
       {0, 0.1, 0.3, 0.5},
       depth_missing,
       {{Measure::kDepthCompleteness, kFalls}, {Measure::kDepthFeatureCompleteness, kFalls}}},
      {"depth-hole", {0, 0.1, 0.25, 0.5}, depth_hole, {{Measure::kDepthHoles, kRises}}},
      {"depth-points-in-the-air",
       {0, 0.01, 0.03, 0.1},
       depth_points_in_the_air,
       {{Measure::kDepthOutliers, kRises}}},
      {"depth-noise", {0, 2, 5, 10}, depth_noise, {{Measure::kDepthNoise, kRises}}},
      {"depth-flat", {0, 0.3, 0.6, 0.9}, depth_flat, {{Measure::kDepthRelief, kFalls}}},
      {"depth-coarse",
       {1, 0.75, 0.5, 0.25},
       depth_coarse,
       {{Measure::kDepthWidth, kFalls}, {Measure::kDepthHeight, kFalls}}},
      {"depth-late", {0, 40, 100, 400}, depth_late, {{Measure::kDepthSkew, kRises}}},
      {"wallpaper", {10, 40, 80, 120}, wallpaper, {{Measure::kBackgroundUniformity, kRises}}},
  };
}

}  // namespace visage::bench
