#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>

#include "liveness_made.h"

namespace visage::bench {
namespace {

using capture::Point;

constexpr size_t kPoints = capture::kMeshPoints;
constexpr float kRadians = static_cast<float>(M_PI / 180);

// Points of one eye from its outer corner to its inner one: the fold above the lid, the edge of the upper lid
// and that of the lower.
constexpr size_t kColumns = 9;
struct Eye {
  uint16_t fold[kColumns], upper[kColumns], lower[kColumns];
};
constexpr Eye kEyes[] = {{{130, 247, 30, 29, 27, 28, 56, 190, 243},
                          {33, 246, 161, 160, 159, 158, 157, 173, 133},
                          {33, 7, 163, 144, 145, 153, 154, 155, 133}},
                         {{359, 467, 260, 259, 257, 258, 286, 414, 463},
                          {263, 466, 388, 387, 386, 385, 384, 398, 362},
                          {263, 249, 390, 373, 374, 380, 381, 382, 362}}};

// The inner edge of each lip, from corner to corner.
constexpr uint16_t kUpperEdge[] = {78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308};
constexpr uint16_t kLowerEdge[] = {78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308};
// The rest of the lower lip.
constexpr uint16_t kLowerLip[] = {15,  86,  179, 89,  96, 316, 403, 319, 325, 16,  85,  180, 90, 77,
                                  315, 404, 320, 307, 17, 84,  181, 91,  146, 314, 405, 321, 375};
constexpr uint16_t kCorners[] = {61, 76, 62, 78, 291, 306, 292, 308};

cv::Point2f flat(const cv::Point3f& p) {
  return {p.x, p.y};
}

// Where each point of a face at rest is in space while the face does something.
class Face {
 public:
  explicit Face(const capture::Mesh& mesh) : rest_(kPoints) {
    for (size_t i = 0; i < kPoints; ++i) rest_[i] = {mesh.points[i].x, mesh.points[i].y, mesh.depth[i]};
    now_ = rest_;
    eyes_ = capture::distance(mesh.points[33], mesh.points[263]);
    chin_ = rest_[152].y - rest_[1].y;
    const cv::Point2f axis = flat(rest_[152] - rest_[10]);
    down_ = cv::Point3f(axis.x, axis.y, 0) / capture::distance(axis, {0, 0});
  }

  float eyes() const { return eyes_; }
  float chin() const { return chin_; }
  const std::vector<cv::Point3f>& rest() const { return rest_; }
  const std::vector<cv::Point3f>& now() const { return now_; }

  // The skin above the lid follows; the lid's edge is lid_edge()'s.
  void blink(float share) {
    for (const Eye& eye : kEyes)
      for (size_t k = 0; k < kColumns; ++k) {
        const cv::Point3f down = 0.4f * share * (rest_[eye.lower[k]] - rest_[eye.upper[k]]);
        now_[eye.fold[k]] += down;
        now_[eye.upper[k]] += down;
      }
  }

  // A shut lid lies on the lower one and hides what the mesh's line has left of the eye.
  cv::Point3f lid_edge(const Eye& eye, size_t column, float share) const {
    const cv::Point3f &upper = rest_[eye.upper[column]], &lower = rest_[eye.lower[column]];
    return upper + 1.08f * share * (lower - upper);
  }

  // The jaw drops, and takes lip, chin and what hangs on them along; below 0 the lower lip rises to the
  // upper one.
  void open(float share) {
    if (share < 0) {
      const cv::Point3f gap = rest_[13] - rest_[14];
      for (size_t k = 0; k < std::size(kLowerEdge); ++k)
        now_[kLowerEdge[k]] -= share * (rest_[kUpperEdge[k]] - rest_[kLowerEdge[k]]);
      for (const uint16_t i : kLowerLip) now_[i] -= share * taper(i) * gap;
      return;
    }
    const float drop = share * 0.45f * chin_, line = (rest_[61].y + rest_[291].y) / 2;
    std::vector<float> weight(kPoints, 0);
    const float half_face = std::abs(rest_[454].x - rest_[234].x) / 2;
    for (size_t i = 0; i < kPoints; ++i) {
      const float low = std::clamp((rest_[i].y - line) / (rest_[152].y - line), 0.0f, 1.0f);
      const float side = std::min(1.0f, std::abs(rest_[i].x - rest_[152].x) / half_face);
      weight[i] = std::sqrt(low) * (1 - side * side);
    }
    for (const uint16_t i : kLowerEdge) weight[i] = taper(i);
    for (const uint16_t i : kLowerLip) weight[i] = taper(i);
    for (const uint16_t i : kCorners) {
      weight[i] = 0.3f;
      now_[i].x += share * 0.12f * (rest_[13].x - rest_[i].x);
    }
    for (size_t i = 0; i < kPoints; ++i) now_[i] += drop * weight[i] * down_;
  }

  // Corners of the mouth out and up, the cheeks with them; below 0 in and down. The middle of the face stays.
  void smile(float share) {
    const float middle = (rest_[61].x + rest_[291].x) / 2;
    for (const uint16_t corner : {61, 291}) {
      const float half = rest_[corner].x - middle, side = half < 0 ? -1.0f : 1.0f;
      for (size_t i = 0; i < kPoints; ++i) {
        const float d = capture::distance(flat(rest_[i]), flat(rest_[corner])) / (0.35f * eyes_);
        const float weight = std::exp(-d * d) * std::clamp((rest_[i].x - middle) / half, 0.0f, 1.0f);
        now_[i].x += share * weight * 0.14f * eyes_ * side;
        now_[i].y -= share * weight * 0.09f * eyes_;
      }
    }
  }

 private:
  // 1 in the lip's middle, less towards the corners.
  float taper(uint16_t point) const {
    const float half = std::abs(rest_[291].x - rest_[61].x) / 2;
    const float off = std::min(1.0f, std::abs(rest_[point].x - rest_[14].x) / half);
    return 1 - 0.6f * off * off;
  }

  std::vector<cv::Point3f> rest_, now_;
  cv::Point3f down_;  // the face's own, of unit length
  float eyes_, chin_;
};

// The head turns around its neck, behind the face, before a camera. What is not turned stays where it is in
// the portrait, which is a camera's picture already.
class Turn {
 public:
  Turn(const Face& face, const Pose& pose)
      : pivot_(face.rest()[168].x, face.rest()[152].y - 0.3f * face.chin(),
               face.rest()[168].z + 1.0f * face.eyes()),
        cy_(std::cos(pose.yaw * kRadians)),
        sy_(std::sin(pose.yaw * kRadians)),
        cx_(std::cos(pose.pitch * kRadians)),
        sx_(std::sin(pose.pitch * kRadians)),
        focal_(6 * face.eyes()),
        near_(face.rest()[168].z - pivot_.z) {}

  // In the picture, with the depth that decides what hides what.
  cv::Point3f operator()(const cv::Point3f& point) const {
    cv::Point3f p = point - pivot_;
    const float seen_from = (focal_ + p.z - near_) / focal_;
    p.x *= seen_from;
    p.y *= seen_from;
    // Depth grows away from the camera: to the person's left is towards larger x of what is nearer.
    const float x = cy_ * p.x - sy_ * p.z, z = sy_ * p.x + cy_ * p.z;
    const float y = cx_ * p.y - sx_ * z, z2 = sx_ * p.y + cx_ * z;
    const float scale = focal_ / (focal_ + z2 - near_);
    return {pivot_.x + scale * x, pivot_.y + scale * y, z2};
  }

 private:
  cv::Point3f pivot_;
  float cy_, sy_, cx_, sx_, focal_, near_;
};

// Of every pixel of the picture that is made: where in the portrait it comes from.
class Map {
 public:
  explicit Map(cv::Size size) : from_(size, CV_32FC2), drawn_(cv::Mat::zeros(size, CV_8U)) {
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x)
        from_.at<cv::Vec2f>(y, x) = {static_cast<float>(x), static_cast<float>(y)};
  }

  struct Corner {
    Point to, from;
  };
  void draw(const Corner& a, const Corner& b, const Corner& c) {
    const Point u = b.to - a.to, v = c.to - a.to;
    const float area = u.x * v.y - u.y * v.x;
    if (std::abs(area) < 1e-6f) return;
    const std::vector<Point> corners = {a.to, b.to, c.to};
    const cv::Rect box = cv::boundingRect(corners) & cv::Rect({}, from_.size());
    for (int y = box.y; y < box.br().y; ++y)
      for (int x = box.x; x < box.br().x; ++x) {
        const Point p = Point(static_cast<float>(x), static_cast<float>(y)) - a.to;
        const float s = (p.x * v.y - p.y * v.x) / area, r = (u.x * p.y - u.y * p.x) / area;
        if (s < -0.001f || r < -0.001f || s + r > 1.001f) continue;
        const Point q = a.from + s * (b.from - a.from) + r * (c.from - a.from);
        from_.at<cv::Vec2f>(y, x) = {q.x, q.y};
        drawn_.at<uint8_t>(y, x) = 255;
      }
  }
  // What lies between two lines of points.
  void draw(std::span<const Corner> above, std::span<const Corner> below) {
    for (size_t k = 1; k < above.size(); ++k) {
      draw(above[k - 1], above[k], below[k - 1]);
      draw(above[k], below[k - 1], below[k]);
    }
  }

  cv::Mat apply(const cv::Mat& portrait) const {
    cv::Mat out;
    cv::remap(portrait, out, from_, cv::noArray(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
    return out;
  }
  // Over a picture, and only where something was drawn.
  void apply(const cv::Mat& portrait, cv::Mat& picture) const { apply(portrait).copyTo(picture, drawn_); }

 private:
  cv::Mat from_, drawn_;
};

// Where the eye is, a lid is: skin from the fold to where the lids meet, and the lashes there. A portrait
// with open eyes has too little of the lid to draw it out: what would be drawn out is the crease's shade.
void draw_shut(const Eye& eye, const Face& face, const cv::Mat& smooth, cv::Mat& shut) {
  const float wide = capture::distance(flat(face.rest()[eye.upper[0]]), flat(face.rest()[eye.upper[8]]));
  const auto skin = [&](const Point& p) {
    const int x = std::clamp(cvRound(p.x), 0, smooth.cols - 1),
              y = std::clamp(cvRound(p.y), 0, smooth.rows - 1);
    const cv::Vec3b colour = smooth.at<cv::Vec3b>(y, x);
    return cv::Vec3f(colour[0], colour[1], colour[2]);
  };
  std::array<Point, kColumns> fold, edge;
  std::array<cv::Vec3f, kColumns> above, below;
  std::vector<cv::Point> lashes;
  for (size_t k = 0; k < kColumns; ++k) {
    const auto& rest = face.rest();
    fold[k] = flat(rest[eye.fold[k]]);
    edge[k] = flat(face.lid_edge(eye, k, 1));
    above[k] = skin(fold[k] + 0.5f * (fold[k] - flat(rest[eye.upper[k]])));
    below[k] = skin(edge[k] + Point(0, 0.3f * wide));
    lashes.emplace_back(edge[k]);
  }
  constexpr int kSteps = 24;  // between two columns, and from fold to edge twice that
  cv::Mat paint(shut.size(), CV_32FC3, cv::Scalar::all(0)), share = cv::Mat::zeros(shut.size(), CV_32F);
  for (size_t k = 1; k < kColumns; ++k)
    for (int i = 0; i <= kSteps; ++i)
      for (int j = 0; j <= 2 * kSteps; ++j) {
        const float u = static_cast<float>(i) / kSteps, t = static_cast<float>(j) / (2 * kSteps);
        const Point top = fold[k - 1] + u * (fold[k] - fold[k - 1]),
                    end = edge[k - 1] + u * (edge[k] - edge[k - 1]);
        const cv::Point at(top + t * (end - top));
        if (!cv::Rect({}, shut.size()).contains(at)) continue;
        const float across = static_cast<float>(k - 1) + u;
        const float inner = std::min({1.0f, across, static_cast<float>(kColumns - 1) - across});
        // Round, so brightest in its middle.
        paint.at<cv::Vec3f>(at) =
            (1 + 0.6f * t * (1 - t)) *
            ((1 - t) * ((1 - u) * above[k - 1] + u * above[k]) + t * ((1 - u) * below[k - 1] + u * below[k]));
        share.at<float>(at) = std::min(1.0f, 3 * t) * inner;
      }
  cv::Mat line = cv::Mat::zeros(shut.size(), CV_32F);
  cv::polylines(line, std::vector<std::vector<cv::Point>>{lashes}, false, 1,
                std::max(1, cvRound(0.05f * wide)), cv::LINE_AA);
  cv::GaussianBlur(line, line, {0, 0}, 0.015 * static_cast<double>(wide));
  for (int y = 0; y < shut.rows; ++y)
    for (int x = 0; x < shut.cols; ++x)
      for (int i = 0; i < 3; ++i) {
        auto& value = shut.at<cv::Vec3b>(y, x)[i];
        const float s = share.at<float>(y, x), lash = 0.85f * line.at<float>(y, x);
        const float lid = (1 - s) * static_cast<float>(value) + s * paint.at<cv::Vec3f>(y, x)[i];
        value = cv::saturate_cast<uint8_t>((1 - lash) * lid + lash * 30);
      }
}

// The eyeball stays as it is under the lid, which comes down over it whole.
void draw_eyeball(const Eye& eye, const Face& face, const Turn& turn, Map& map) {
  std::array<Map::Corner, kColumns> upper, lower;
  for (size_t k = 0; k < kColumns; ++k) {
    const cv::Point3f &top = face.rest()[eye.upper[k]], &bottom = face.rest()[eye.lower[k]];
    upper[k] = {flat(turn(top)), flat(top)};
    lower[k] = {flat(turn(bottom)), flat(bottom)};
  }
  map.draw(upper, lower);
}

void draw_lid(const Eye& eye, const Face& face, float share, const Turn& turn, Map& map) {
  std::array<Map::Corner, kColumns> fold, edge;
  for (size_t k = 0; k < kColumns; ++k) {
    fold[k] = {flat(turn(face.now()[eye.fold[k]])), flat(face.rest()[eye.fold[k]])};
    edge[k] = {flat(turn(face.lid_edge(eye, k, share))), flat(face.lid_edge(eye, k, 1))};
  }
  map.draw(fold, edge);
}

// The teeth of a mouth that shows some stay with the upper lip; what opens below them is dark.
cv::Mat draw_mouth(const Face& face, const Turn& turn, const cv::Size& size, Map& map) {
  constexpr size_t kAcross = std::size(kUpperEdge);
  std::array<Map::Corner, kAcross> above, below;
  std::vector<cv::Point> hole;
  for (size_t k = 0; k < kAcross; ++k) {
    const cv::Point3f &upper = face.rest()[kUpperEdge[k]], &lower = face.rest()[kLowerEdge[k]],
                      &lip = face.now()[kUpperEdge[k]];
    above[k] = {flat(turn(lip)), flat(upper)};
    below[k] = {flat(turn(lip + lower - upper)), flat(lower)};
    hole.emplace_back(below[k].to);
  }
  map.draw(above, below);
  for (size_t k = kAcross; k-- > 0;) hole.emplace_back(flat(turn(face.now()[kLowerEdge[k]])));
  cv::Mat dark = cv::Mat::zeros(size, CV_32F);
  cv::fillPoly(dark, std::vector<std::vector<cv::Point>>{hole}, 1);
  cv::GaussianBlur(dark, dark, {0, 0}, 0.008 * static_cast<double>(face.eyes()));
  return dark;
}

}  // namespace

Puppet::Puppet(const cv::Mat& portrait, const capture::Mesh& mesh)
    : portrait_(portrait), shut_(portrait.clone()), mesh_(mesh) {
  const Face face(mesh);
  cv::Mat smooth;
  cv::GaussianBlur(portrait, smooth, {0, 0}, 0.03 * static_cast<double>(face.eyes()));
  for (const Eye& eye : kEyes) draw_shut(eye, face, smooth, shut_);
  const float w = static_cast<float>(portrait.cols - 1), h = static_cast<float>(portrait.rows - 1);
  from_.assign(mesh.points.begin(), mesh.points.end());
  for (int i = 0; i < 8; ++i) {
    const float t = static_cast<float>(i) / 8;
    for (const Point p : {Point(t * w, 0), Point(w, t * h), Point(w - t * w, h), Point(0, h - t * h)})
      from_.push_back(p);
  }
  cv::Subdiv2D division(cv::Rect(-2, -2, portrait.cols + 4, portrait.rows + 4));
  // Iris points lie among those of the eye and would fold.
  std::vector<std::pair<Point, int>> known;
  for (size_t i = 0; i < from_.size(); ++i) {
    if (i >= 468 && i < kPoints) continue;
    const Point& p = from_[i];
    if (p.x < 0 || p.y < 0 || p.x > w || p.y > h) continue;
    division.insert(p);
    known.emplace_back(p, static_cast<int>(i));
  }
  std::vector<cv::Vec6f> list;
  division.getTriangleList(list);
  const auto find = [&](float x, float y) {
    for (const auto& [p, i] : known)
      if (std::abs(p.x - x) < 1e-3f && std::abs(p.y - y) < 1e-3f) return i;
    return -1;
  };
  for (const cv::Vec6f& t : list) {
    const cv::Vec3i corners(find(t[0], t[1]), find(t[2], t[3]), find(t[4], t[5]));
    if (corners[0] >= 0 && corners[1] >= 0 && corners[2] >= 0) triangles_.push_back(corners);
  }
}

cv::Mat Puppet::show(const Pose& pose) const {
  Face face(mesh_);
  face.blink(pose.blink);
  face.open(pose.open);
  face.smile(pose.smile);
  const Turn turn(face, pose);
  std::vector<Point> to = from_;
  std::vector<float> depth(from_.size(), 1e6f);
  for (size_t i = 0; i < kPoints; ++i) {
    const cv::Point3f p = turn(face.now()[i]);
    to[i] = flat(p);
    depth[i] = p.z;
  }
  // Far triangles first, near ones over them.
  std::vector<size_t> order(triangles_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto far = [&](size_t t) {
    const cv::Vec3i& c = triangles_[t];
    return depth[static_cast<size_t>(c[0])] + depth[static_cast<size_t>(c[1])] +
           depth[static_cast<size_t>(c[2])];
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return far(a) > far(b); });
  Map map(portrait_.size());
  const auto corner = [&](int i) {
    return Map::Corner{to[static_cast<size_t>(i)], from_[static_cast<size_t>(i)]};
  };
  for (const size_t t : order) {
    const cv::Vec3i& c = triangles_[t];
    map.draw(corner(c[0]), corner(c[1]), corner(c[2]));
  }
  if (pose.blink > 0)
    for (const Eye& eye : kEyes) draw_eyeball(eye, face, turn, map);
  cv::Mat dark;
  if (pose.open > 0) dark = draw_mouth(face, turn, portrait_.size(), map);
  cv::Mat out = map.apply(portrait_);
  if (pose.blink > 0) {
    Map lids(portrait_.size());
    for (const Eye& eye : kEyes) draw_lid(eye, face, pose.blink, turn, lids);
    lids.apply(shut_, out);
  }
  if (dark.empty()) return out;
  const cv::Vec3f inside(28, 20, 45);  // blue, green, red
  for (int y = 0; y < out.rows; ++y)
    for (int x = 0; x < out.cols; ++x) {
      const float share = dark.at<float>(y, x);
      if (share <= 0) continue;
      auto& pixel = out.at<cv::Vec3b>(y, x);
      for (int i = 0; i < 3; ++i)
        pixel[i] = cv::saturate_cast<uint8_t>((1 - share) * static_cast<float>(pixel[i]) + share * inside[i]);
    }
  return out;
}

}  // namespace visage::bench
