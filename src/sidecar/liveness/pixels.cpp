#include "sidecar/liveness/pixels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "sidecar/quality/colour.h"

namespace visage::liveness {
namespace {

constexpr uint16_t kBridge = 168, kLeftCheek = 50, kRightCheek = 280, kLeftEye = 33, kRightEye = 263;
constexpr int kSpectrum = 128;  // side of the area whose spectrum is looked at, px

struct Sum {
  double r = 0, g = 0, b = 0;
  int count = 0;

  void add(const cv::Mat& picture, cv::Rect area) {
    area &= cv::Rect({}, picture.size());
    for (int y = area.y; y < area.br().y; ++y) {
      const auto* row = picture.ptr<cv::Vec3b>(y);
      for (int x = area.x; x < area.br().x; ++x, ++count) {
        b += quality::linear(row[x][0]);
        g += quality::linear(row[x][1]);
        r += quality::linear(row[x][2]);
      }
    }
  }
  Colour mean() const {
    const double n = std::max(1, count);
    return {static_cast<float>(r / n), static_cast<float>(g / n), static_cast<float>(b / n)};
  }
};

cv::Rect square(capture::Point middle, int side) {
  return {cvRound(middle.x) - side / 2, cvRound(middle.y) - side / 2, side, side};
}

Colour skin_of(const cv::Mat& picture, const capture::Mesh& mesh, float eyes) {
  const int side = std::max(4, cvRound(0.2f * eyes));
  Sum sum;
  for (const uint16_t cheek : {kLeftCheek, kRightCheek}) sum.add(picture, square(mesh.points[cheek], side));
  return sum.mean();
}

// What is seen beside the head, above the shoulders: black when there is next to nothing of it, or when it is
// so dark or so bright that light would not show on it.
Colour background_of(const cv::Mat& picture, const capture::Box& face) {
  const int from = std::max(0, cvRound(face.x - 0.2f * face.width)),
            to = std::min(picture.cols, cvRound(face.x + 1.2f * face.width)),
            bottom = std::clamp(cvRound(face.y + 0.7f * face.height), 0, picture.rows);
  Sum sum;
  for (const cv::Rect side : {cv::Rect(0, 0, from, bottom), cv::Rect(to, 0, picture.cols - to, bottom)})
    sum.add(picture, side);
  constexpr double kLeastShare = 0.01;  // of the picture
  // Where a camera's curve leaves the line of sRGB, near black, light shows as less than it is: of a gamma of
  // 2.2, at this level, as 0.8 of it, next to what the light challenge allows a background.
  constexpr float kDark = 0.02f, kBright = 0.9f;
  if (sum.count < kLeastShare * static_cast<double>(picture.total())) return {};
  const Colour mean = sum.mean();
  const float least = std::min({mean.r, mean.g, mean.b}), most = std::max({mean.r, mean.g, mean.b});
  return least < kDark || most > kBright ? Colour{} : mean;
}

void sample_grain(const cv::Mat& picture, const capture::Mesh& mesh, capture::WipedVector<float>& out) {
  const cv::Rect area = square(mesh.points[kBridge] + capture::Point(0, kGrain / 4.0f), kGrain);
  if ((area & cv::Rect({}, picture.size())) != area) return;
  cv::Mat grey, smooth, dx, dy;
  cv::cvtColor(picture(area), grey, cv::COLOR_BGR2GRAY);
  grey.convertTo(grey, CV_32F);
  cv::GaussianBlur(grey, smooth, {0, 0}, 1.5);
  cv::Sobel(smooth, dx, CV_32F, 1, 0, 3, 0.125);
  cv::Sobel(smooth, dy, CV_32F, 0, 1, 3, 0.125);
  // Where the picture itself changes, or is clipped, what is left is not noise.
  constexpr float kSteepest = 2, kDark = 10, kBright = 245;  // grey levels a px
  out.assign(kGrain * kGrain, std::numeric_limits<float>::quiet_NaN());
  for (int y = 0; y < kGrain; ++y)
    for (int x = 0; x < kGrain; ++x) {
      const float value = smooth.at<float>(y, x);
      if (value < kDark || value > kBright) continue;
      if (std::hypot(dx.at<float>(y, x), dy.at<float>(y, x)) > kSteepest) continue;
      out[static_cast<size_t>(y * kGrain + x)] = grey.at<float>(y, x) - value;
    }
}

void digest(const cv::Mat& picture, std::array<uint8_t, 32>& out) {
  const cv::Mat whole = picture.isContinuous() ? picture : picture.clone();
  crypto::sha256({whole.data, whole.total() * whole.elemSize()}, out.data());
}

}  // namespace

float texture_peaks(const cv::Mat& picture, const capture::Mesh& mesh) {
  const cv::Rect area = square(mesh.points[kBridge] + capture::Point(0, kSpectrum / 8.0f), kSpectrum);
  if ((area & cv::Rect({}, picture.size())) != area) return 0;
  cv::Mat grey, smooth, window, spectrum;
  cv::cvtColor(picture(area), grey, cv::COLOR_BGR2GRAY);
  grey.convertTo(grey, CV_32F);
  cv::GaussianBlur(grey, smooth, {0, 0}, 2);
  grey -= smooth;
  cv::createHanningWindow(window, grey.size(), CV_32F);
  grey = grey.mul(window);
  cv::dft(grey, spectrum, cv::DFT_COMPLEX_OUTPUT);
  cv::Mat planes[2], amplitude;
  cv::split(spectrum, planes);
  cv::magnitude(planes[0], planes[1], amplitude);
  // One half of the plane: the other mirrors it. JPEG's blocks and upright edges live on the axes; low
  // frequencies are the face.
  constexpr int kAxis = 4, kLowest = 16, kRing = 6;
  float best = 0;
  const auto at = [&](int u, int v) {
    return amplitude.at<float>((v + kSpectrum) % kSpectrum, (u + kSpectrum) % kSpectrum);
  };
  std::vector<float> around;
  for (int v = kAxis; v < kSpectrum / 2 - kRing; ++v)
    for (int u = -kSpectrum / 2 + kRing; u < kSpectrum / 2 - kRing; ++u) {
      if (std::abs(u) < kAxis || u * u + v * v < kLowest * kLowest) continue;
      const float here = at(u, v);
      if (here < at(u - 1, v) || here < at(u + 1, v) || here < at(u, v - 1) || here < at(u, v + 1)) continue;
      around.clear();
      for (int j = -kRing; j <= kRing; j += 2)
        for (int i = -kRing; i <= kRing; i += 2)
          if (std::abs(i) > 2 || std::abs(j) > 2) around.push_back(at(u + i, v + j));
      const auto middle = around.begin() + static_cast<long>(around.size() / 2);
      std::nth_element(around.begin(), middle, around.end());
      // A floor of a tenth of a grey level: in a picture without noise every crumb would stand out.
      best = std::max(best, here / std::max(*middle, 0.1f * kSpectrum / 4));
    }
  return best;
}

void look_at_pixels(const cv::Mat& picture, Observation& frame) {
  digest(picture, frame.pixels);
  if (frame.faces == 0) return;
  const float eyes = capture::distance(frame.mesh.points[kLeftEye], frame.mesh.points[kRightEye]);
  frame.skin = skin_of(picture, frame.mesh, eyes);
  frame.background = background_of(picture, frame.box);
  sample_grain(picture, frame.mesh, frame.grain);
  frame.peaks = texture_peaks(picture, frame.mesh);
}

}  // namespace visage::liveness
