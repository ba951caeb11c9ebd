#include "gallery_index_people.h"

#include <Eigen/Dense>
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include "core/reference/reference.h"
#include "core/reference/rotation.h"

namespace visage::bench {
namespace {

constexpr Eigen::Index kDimension = 128;
using Features = Eigen::Matrix<float, kDimension, Eigen::Dynamic>;
using Square = Eigen::Matrix<float, kDimension, kDimension>;
using One = Eigen::Matrix<float, kDimension, 1>;

struct Population {
  One mean;
  Square between, within;  // square roots of the covariances
  double mated_cosine = 0, stranger_spread = 0;
};

bool read(const std::string& data, Features& features, std::vector<size_t>& person_of) {
  std::ifstream values(data + "/lfw-half-sface.f32", std::ios::binary), names(data + "/lfw-half-sface.txt");
  std::vector<float> all;
  std::map<std::string, size_t> people;
  std::string name;
  float feature[kDimension];
  while (names >> name && values.read(reinterpret_cast<char*>(feature), sizeof feature)) {
    all.insert(all.end(), feature, feature + kDimension);
    person_of.push_back(people.emplace(name.substr(0, name.find('/')), people.size()).first->second);
  }
  features = Eigen::Map<Features>(all.data(), kDimension, static_cast<Eigen::Index>(person_of.size()));
  return !person_of.empty();
}

Square root_of(const Square& covariance) {
  Eigen::SelfAdjointEigenSolver<Square> solver(covariance);
  return solver.eigenvectors() * solver.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal();
}

double spread_of_strangers(const Features& features) {
  double sum = 0, squares = 0;
  const Eigen::Index count = features.cols(), half = count / 2;
  for (Eigen::Index i = 0; i < half; ++i) {
    const double cosine = features.col(i).dot(features.col(i + half));
    sum += cosine;
    squares += cosine * cosine;
  }
  const double mean = sum / static_cast<double>(half);
  return std::sqrt(squares / static_cast<double>(half) - mean * mean);
}

// Everybody counts alike; those with two pictures or more tell how captures differ.
Population measure(const Features& features, const std::vector<size_t>& person_of) {
  std::map<size_t, std::vector<Eigen::Index>> pictures;
  for (size_t i = 0; i < person_of.size(); ++i)
    pictures[person_of[i]].push_back(static_cast<Eigen::Index>(i));
  Population out;
  out.mean.setZero();
  Square total = Square::Zero(), within = Square::Zero();
  Features firsts(kDimension, static_cast<Eigen::Index>(pictures.size()));
  Eigen::Index person = 0;
  size_t several = 0;
  for (const auto& [_, mine] : pictures) {
    firsts.col(person++) = features.col(mine[0]);
    if (mine.size() < 2) continue;
    ++several;
    // Half the scatter of a difference is that of one capture.
    const One difference = features.col(mine[0]) - features.col(mine[1]);
    within += difference * difference.transpose() / 2;
    out.mated_cosine += features.col(mine[0]).dot(features.col(mine[1]));
  }
  within /= static_cast<float>(several);
  out.mated_cosine /= static_cast<double>(several);
  out.mean = firsts.rowwise().mean();
  const Features centred = firsts.colwise() - out.mean;
  total = centred * centred.transpose() / static_cast<float>(firsts.cols() - 1);
  out.within = root_of(within);
  out.between = root_of(total - within);
  out.stranger_spread = spread_of_strangers(firsts);
  return out;
}

class Maker {
 public:
  explicit Maker(const Population& population) : population_(population) {
    uint8_t* const masks = masks_;
    for (size_t i = 0; i < sizeof masks_; ++i) masks[i] = static_cast<uint8_t>(random_());
  }
  Features noise(Eigen::Index count) {
    Features out(kDimension, count);
    for (Eigen::Index i = 0; i < out.size(); ++i) out.data()[i] = normal_(random_);
    return out;
  }
  Features people(Eigen::Index count) {
    return (population_.between * noise(count)).colwise() + population_.mean;
  }
  Features captures(const Features& people) {
    return (people + population_.within * noise(people.cols())).colwise().normalized();
  }
  void encode(const Features& features, uint64_t* codes) const {
    float rotated[gallery::kCodeBits];
    for (Eigen::Index i = 0; i < features.cols(); ++i) {
      reference::rotate(features.col(i).data(), kDimension, gallery::kCodeBits, masks_, rotated);
      reference::pack_signs(rotated, gallery::kCodeBits,
                            reinterpret_cast<uint8_t*>(codes + static_cast<size_t>(i) * gallery::kCodeWords));
    }
  }

 private:
  const Population& population_;
  std::mt19937_64 random_{11};
  std::normal_distribution<float> normal_;
  uint8_t masks_[reference::kMaxMaskSize];
};

}  // namespace

bool make_crowd(const std::string& data, size_t enrolled, size_t probes, Crowd& out) {
  Features features;
  std::vector<size_t> person_of;
  if (!read(data, features, person_of)) return false;
  const Population population = measure(features, person_of);
  out.real_mated_cosine = population.mated_cosine;
  out.real_stranger_spread = population.stranger_spread;
  Maker maker(population);
  out.step = enrolled / probes;
  out.enrolled.resize(enrolled * gallery::kCodeWords);
  out.mated.resize(probes * gallery::kCodeWords);
  out.strangers.resize(probes * gallery::kCodeWords);
  const auto few = static_cast<Eigen::Index>(out.step);
  double cosines = 0;
  for (size_t probe = 0; probe < probes; ++probe) {
    const Features people = maker.people(few), first = maker.captures(people);
    maker.encode(first, &out.enrolled[probe * out.step * gallery::kCodeWords]);
    const Features again = maker.captures(people.leftCols(1));
    cosines += again.col(0).dot(first.col(0));
    maker.encode(again, &out.mated[probe * gallery::kCodeWords]);
  }
  out.mated_cosine = cosines / static_cast<double>(probes);
  const Features strangers = maker.captures(maker.people(static_cast<Eigen::Index>(probes)));
  out.stranger_spread = spread_of_strangers(strangers);
  maker.encode(strangers, out.strangers.data());
  return true;
}

}  // namespace visage::bench
