// make bench-liveness: APCER by species and BPCER (ISO/IEC 30107-3) of each method where it matters.
//
//   liveness <models> <nuaa-4-subjects.tar or ""> <every n-th portrait for films> [depth|nuaa|pictures|films
//   …]
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "accuracy_dataset.h"
#include "json_line.h"
#include "liveness_made.h"
#include "sidecar/capture/pipeline.h"
#include "sidecar/capture/stopwatch.h"
#include "sidecar/liveness/continuity.h"
#include "sidecar/liveness/depth_points.h"
#include "sidecar/liveness/injection.h"
#include "sidecar/liveness/light.h"
#include "sidecar/liveness/movement.h"
#include "sidecar/liveness/observation.h"
#include "sidecar/liveness/passive.h"
#include "sidecar/liveness/texture.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace visage::bench {
namespace {

using liveness::Observation;
using liveness::Outcome;
using liveness::Verdict;

// Counts of one species or set.
struct Tally {
  int presentations = 0, passed = 0, failed = 0;
  std::map<std::string, int> reasons;
  std::vector<float> values;

  void add(const Outcome& outcome) {
    ++presentations;
    values.push_back(outcome.value);
    passed += outcome.verdict == Verdict::kPass;
    failed += outcome.verdict == Verdict::kFail;
    if (outcome.verdict != Verdict::kPass)
      ++reasons[std::string(liveness::name(outcome.method)) + ":" +
                std::string(liveness::info(outcome.reason).name)];
  }
};

// Wilson's score interval, 95 %.
void interval(double errors, double n, double& low, double& high) {
  const double z = 1.96, p = errors / n, middle = p + z * z / (2 * n), d = 1 + z * z / n;
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  low = std::max(0.0, (middle - half) / d);
  high = std::min(1.0, (middle + half) / d);
}

void report(const std::string& metric, Tally tally, bool attack, const char* target, const char* by) {
  if (tally.presentations == 0) return;
  const int errors = attack ? tally.passed : tally.presentations - tally.passed;
  double low = 0, high = 0;
  interval(errors, tally.presentations, low, high);
  std::sort(tally.values.begin(), tally.values.end());
  const auto value = [&](size_t percent) {
    return static_cast<double>(tally.values[(tally.values.size() - 1) * percent / 100]);
  };
  char note[700];
  std::string reasons;
  for (const auto& [reason, count] : tally.reasons) reasons += " " + reason + "=" + std::to_string(count);
  std::snprintf(note, sizeof note,
                "%d of %d; 95 %% %.4f to %.4f; %s; values at 5, 50 and 95 %%: %.2f %.2f %.2f;%s", errors,
                tally.presentations, low, high, by, value(5), value(50), value(95), reasons.c_str());
  print_metric(("liveness." + metric).c_str(), static_cast<double>(errors) / tally.presentations, "ratio",
               target, tally.presentations, note);
}

// What the limits of depth are set by: the measures of one shape, in order.
class Spread {
 public:
  void add(const liveness::Relief& relief) {
    if (!relief.known) return;
    const float values[] = {relief.plane, relief.bent,      relief.bulge, relief.cheeks,
                            relief.nose,  relief.agreement, relief.eyes};
    for (size_t i = 0; i < std::size(kNames); ++i) values_[i].push_back(values[i]);
  }
  void print(const char* of) {
    if (values_[0].empty()) return;
    std::fprintf(stderr, "%-26s n %4zu", of, values_[0].size());
    for (size_t i = 0; i < std::size(kNames); ++i) {
      std::sort(values_[i].begin(), values_[i].end());
      const auto at = [&](size_t percent) {
        return static_cast<double>(values_[i][(values_[i].size() - 1) * percent / 100]);
      };
      std::fprintf(stderr, "  %s %.2f %.2f %.2f %.2f %.2f", kNames[i], at(0), at(1), at(50), at(99), at(100));
    }
    std::fputc('\n', stderr);
  }

 private:
  static constexpr const char* kNames[] = {"plane", "bent", "bulge", "cheeks", "nose", "agreement", "eyes"};
  std::vector<float> values_[std::size(kNames)];
};

struct Person {
  std::string name;
  cv::Mat portrait;
  Observation seen;
};

class Bench {
 public:
  explicit Bench(const capture::Pipeline& pipeline) : pipeline_(pipeline) {}

  void load(const std::string& folder) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".jpg") files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      std::ifstream stream(file, std::ios::binary);
      const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(stream)), {});
      Person person;
      person.name = file;
      if (pipeline_.observe({bytes, 0, -1}, person.seen) || person.seen.faces == 0) continue;
      person.portrait = cv::imdecode(bytes, cv::IMREAD_COLOR);
      people_.push_back(std::move(person));
    }
    std::fprintf(stderr, "%zu portraits\n", people_.size());
  }

  void depth();
  void films(size_t step);
  void pictures(size_t step);
  void nuaa(const std::string& tar);

 private:
  using Maker = std::function<std::vector<uint8_t>(size_t frame)>;
  std::vector<Observation> film(size_t frames, const Maker& make, int light_per_frame = 0) {
    std::vector<Observation> out(frames);
    for (size_t i = 0; i < frames; ++i) {
      const std::vector<uint8_t> bytes = make(i);
      // A camera of 15 pictures a second whose clock shakes.
      const int64_t time = static_cast<int64_t>(i) * 66'667 + static_cast<int64_t>(random_() % 4000);
      if (pipeline_.observe({bytes, time, light_per_frame > 0 ? static_cast<int>(i) / light_per_frame : -1},
                            out[i]))
        out[i].faces = 0;
    }
    return out;
  }

  const capture::Pipeline& pipeline_;
  std::vector<Person> people_;
  Random random_{20261123};
};

void Bench::depth() {
  constexpr std::pair<Shape, const char*> kShapes[] = {
      {Shape::kHead, "bpcer_made_depth"},     {Shape::kMeshHead, "bpcer_made_depth_of_mesh"},
      {Shape::kPlane, "apcer_depth_plane"},   {Shape::kBent, "apcer_depth_bent"},
      {Shape::kFolded, "apcer_depth_folded"}, {Shape::kPierced, "apcer_depth_pierced"},
      {Shape::kHollow, "apcer_depth_hollow"}, {Shape::kUniform, "apcer_depth_uniform"},
      {Shape::kSmooth, "apcer_depth_smooth"}, {Shape::kElsewhere, "apcer_depth_elsewhere"}};
  double milliseconds = 0;
  int maps = 0;
  const auto relief_of = [&](const Person& person, Shape shape) {
    const quality::DepthFrame map = make_depth(shape, person.portrait.size(), person.seen.mesh, random_);
    const capture::Stopwatch watch(milliseconds);
    ++maps;
    return liveness::measure_relief(liveness::depth_face(map, person.portrait.size(), person.seen.mesh));
  };
  // Limits are set on every other person, and held against the rest.
  for (const auto& [shape, name] : kShapes) {
    Spread spread;
    Tally tally;
    int turned = 0;
    const bool attack = std::string_view(name).starts_with("apcer");
    for (size_t i = 0; i < people_.size(); ++i) {
      // A head that is turned further is no capture that the profiles accept (7.4h).
      const quality::Pose& pose = people_[i].seen.pose;
      constexpr float kMostTurned = 20;
      if (!attack && std::max(std::abs(pose.yaw), std::abs(pose.pitch)) > kMostTurned) {
        ++turned;
        continue;
      }
      for (int k = 0; k < 4; ++k) {
        const liveness::Relief relief = relief_of(people_[i], shape);
        if (i % 2 == 0)
          spread.add(relief);
        else
          tally.add(liveness::judge_depth(relief, true));
      }
    }
    spread.print(name);
    report(name, tally, attack, attack ? "<= 0" : "<= 0.02", "depth alone");
    if (!attack) std::fprintf(stderr, "%d people are turned by more than 20 degrees\n", turned);
  }
  print_metric("liveness.depth_ms", milliseconds / maps, "ms", "", maps, "points and shape of one map, mean");
}

// Frames of a film that leads through poses, five frames each, with rests between.
std::vector<Pose> script(const std::vector<Pose>& poses) {
  std::vector<Pose> out(4);
  for (const Pose& p : poses) {
    for (const float s : {0.5f, 0.9f, 1.0f, 0.8f, 0.4f})
      out.push_back({s * p.yaw, s * p.pitch, s * p.blink, s * p.open, s * p.smile});
    out.insert(out.end(), 3, Pose{});
  }
  return out;
}

void Bench::films(size_t step) {
  using challenge::Movement;
  constexpr std::pair<Movement, Pose> kMoves[] = {
      {Movement::kTurnLeft, {.yaw = 24}},  {Movement::kTurnRight, {.yaw = -24}},
      {Movement::kNod, {.pitch = 20}},     {Movement::kBlink, {.blink = 1}},
      {Movement::kOpenMouth, {.open = 1}}, {Movement::kSmile, {.smile = 1}}};
  const liveness::Demand demand{liveness::Method::kChallenge, liveness::Method::kContinuity,
                                liveness::Method::kInjection};
  const auto judge = [&](liveness::Observations frames, const challenge::Challenge& asked) {
    const Outcome all[] = {liveness::judge_injection(frames, {}), liveness::judge_continuity(frames),
                           liveness::judge_challenge(frames, asked)};
    return liveness::fuse(all, demand);
  };
  constexpr const char* kBy = "challenge, continuity and injection";
  Tally genuine, other_challenge, still, still_again, loop, exchange, flat, jump;
  std::map<Movement, Tally> by_movement;
  std::vector<float> depth_of_heads, depth_of_flats;
  for (size_t i = 0; i < people_.size(); i += step) {
    const Person& person = people_[i];
    const Puppet puppet(person.portrait, person.seen.mesh);
    // Three of the six movements in a random order, asked for and done.
    std::vector<size_t> order = {0, 1, 2, 3, 4, 5};
    std::shuffle(order.begin(), order.end(), random_);
    challenge::Challenge asked, reversed;
    asked.count = reversed.count = 3;
    std::vector<Pose> poses;
    for (size_t k = 0; k < 3; ++k) {
      asked.steps[k] = reversed.steps[2 - k] = kMoves[order[k]].first;
      poses.push_back(kMoves[order[k]].second);
    }
    const std::vector<Pose> frames = script(poses);
    std::vector<Observation> seen =
        film(frames.size(), [&](size_t f) { return shoot(puppet.show(frames[f]), random_); });
    genuine.add(judge(seen, asked));
    other_challenge.add(judge(seen, reversed));
    for (size_t k = 0; k < 3; ++k) {
      challenge::Challenge one;
      one.count = 1;
      one.steps[0] = asked.steps[k];
      bool found = false;
      for (const auto& event : liveness::find_events(seen)) found = found || event.movement == asked.steps[k];
      by_movement[asked.steps[k]].add(
          found ? liveness::pass(liveness::Method::kChallenge)
                : liveness::fail(liveness::Method::kChallenge, liveness::Reason::kMovementMissing));
    }
    // Somebody else finishes.
    {
      const Person& other = people_[(i + 7) % people_.size()];
      const Puppet second(other.portrait, other.seen.mesh);
      std::vector<Observation> mixed =
          film(4, [&](size_t f) { return shoot(second.show(frames[12 + f]), random_); });
      for (size_t f = 0; f < 4; ++f) {
        mixed[f].time_us = seen[12 + f].time_us;
        std::swap(seen[12 + f], mixed[f]);
      }
      exchange.add(judge(seen, asked));
    }
    // One picture, encoded once, or again with another quality for every frame, a pixel to and fro.
    const std::vector<uint8_t> once = shoot(person.portrait, random_);
    const cv::Mat shot = cv::imdecode(once, cv::IMREAD_COLOR);
    still.add(liveness::judge_injection(film(8, [&](size_t) { return once; }), {}));
    still_again.add(liveness::judge_injection(
        film(8,
             [&](size_t f) {
               const cv::Matx23f move(1, 0, static_cast<float>(f % 3) - 1, 0, 1, static_cast<float>(f % 2));
               cv::Mat moved;
               cv::warpAffine(shot, moved, move, shot.size(), cv::INTER_NEAREST, cv::BORDER_REPLICATE);
               return encode(moved, 80 + static_cast<int>(f) * 2);
             }),
        {}));
    // A recording of four frames goes round, encoded again each time.
    std::vector<cv::Mat> recorded;
    for (int f = 0; f < 4; ++f)
      recorded.push_back(
          cv::imdecode(shoot(puppet.show({.yaw = static_cast<float>(2 * f)}), random_), cv::IMREAD_COLOR));
    loop.add(liveness::judge_injection(
        film(10, [&](size_t f) { return encode(recorded[f % 4], 82 + static_cast<int>(f)); }), {}));
    // A photograph turned in the hand.
    challenge::Challenge turns;
    turns.count = 2;
    turns.steps = {Movement::kTurnLeft, Movement::kTurnRight};
    const std::vector<Pose> turned = script({{.yaw = 45}, {.yaw = -45}});
    const std::vector<Observation> paper = film(turned.size(), [&](size_t f) {
      return shoot(turn_flat(person.portrait, turned[f].yaw, 0), random_);
    });
    flat.add(judge(paper, turns));
    depth_of_flats.push_back(liveness::parallax(paper[0].mesh, paper[6].mesh));
    const std::vector<Observation> head =
        film(2, [&](size_t f) { return shoot(puppet.show({.yaw = f == 0 ? 0.0f : 20.0f}), random_); });
    depth_of_heads.push_back(liveness::parallax(head[0].mesh, head[1].mesh));
    std::fprintf(stderr, "film %zu of %zu: %s\n", i / step + 1, (people_.size() + step - 1) / step,
                 genuine.passed == genuine.presentations ? "ok" : "some genuine fail");
  }
  std::sort(depth_of_heads.begin(), depth_of_heads.end());
  std::sort(depth_of_flats.begin(), depth_of_flats.end());
  std::fprintf(stderr, "parallax: heads from %.4f, median %.4f; flat median %.4f, to %.4f\n",
               static_cast<double>(depth_of_heads.front()),
               static_cast<double>(depth_of_heads[depth_of_heads.size() / 2]),
               static_cast<double>(depth_of_flats[depth_of_flats.size() / 2]),
               static_cast<double>(depth_of_flats.back()));
  report("bpcer_made_films", genuine, false, "<= 0.02", kBy);
  report("apcer_recording", other_challenge, true, "<= 0", kBy);
  report("apcer_exchange", exchange, true, "<= 0", kBy);
  report("apcer_injected_still", still, true, "<= 0", "injection alone");
  report("apcer_injected_still_encoded_again", still_again, true, "<= 0", "injection alone");
  report("apcer_replay_loop", loop, true, "<= 0", "injection alone");
  report("apcer_turned_photograph", flat, true, "<= 0", kBy);
  for (const auto& [movement, tally] : by_movement)
    report(std::string("missed_") + challenge::word(movement), tally, false, "",
           "share of made movements not seen");
}

void Bench::pictures(size_t step) {
  struct Sort {
    const char* name;
    bool attack;
    std::function<cv::Mat(const Person&)> make;
  };
  const Sort sorts[] = {
      {"bpcer_made_pictures", false, [&](const Person& p) { return p.portrait; }},
      {"apcer_print", true, [&](const Person& p) { return printed(p.portrait, random_); }},
      {"apcer_screen", true, [&](const Person& p) { return on_screen(p.portrait, random_); }},
      {"apcer_cut_print", true, [&](const Person& p) { return cut_out(p.portrait, p.seen.mesh, random_); }}};
  for (const Sort& sort : sorts) {
    Tally both, network, texture;
    for (size_t i = 0; i < people_.size(); i += step) {
      const std::vector<Observation> seen =
          film(1, [&](size_t) { return shoot(sort.make(people_[i]), random_); });
      const Outcome all[] = {liveness::judge_passive(seen), liveness::judge_texture(seen)};
      both.add(liveness::fuse(all, {}));
      network.add(all[0]);
      texture.add(all[1]);
    }
    report(sort.name, both, sort.attack, "", "network and texture");
    report(std::string(sort.name) + "_network", network, sort.attack, "", "network alone");
    report(std::string(sort.name) + "_texture", texture, sort.attack, "", "texture alone");
  }
  // Light: the screen's colours on the face, and three attacks.
  struct Lit {
    const char* name;
    bool attack;
    float face, background;
    bool other;
  };
  constexpr Lit kLit[] = {{"bpcer_made_light", false, 0.12f, 0.02f, false},
                          {"apcer_injected_unlit", true, 0, 0, false},
                          {"apcer_recorded_light", true, 0.12f, 0.02f, true},
                          {"apcer_lit_print", true, 0.12f, 0.12f, false}};
  for (const Lit& lit : kLit) {
    Tally tally;
    for (size_t i = 0; i < people_.size(); i += 2 * step) {
      std::vector<uint8_t> nonce(32, static_cast<uint8_t>(i)), other(32, static_cast<uint8_t>(i + 101));
      const liveness::LightSequence shown = liveness::light_sequence(nonce);
      const liveness::LightSequence real = liveness::light_sequence(lit.other ? other : nonce);
      const Person& person = people_[i];
      cv::Mat mask(person.portrait.size(), CV_32F, cv::Scalar(static_cast<double>(lit.background)));
      cv::ellipse(mask, cv::Point(person.seen.mesh.points[4]),
                  {cvRound(person.seen.box.width * 0.7f), cvRound(person.seen.box.height * 0.9f)}, 0, 0, 360,
                  cv::Scalar(static_cast<double>(lit.face)), -1);
      const std::vector<Observation> seen = film(
          liveness::kLightSteps,
          [&](size_t f) {
            cv::Mat scene;
            person.portrait.convertTo(scene, CV_32FC3, 1 / 255.0);
            cv::pow(scene, 2.2, scene);
            for (int y = 0; y < scene.rows; ++y)
              for (int x = 0; x < scene.cols; ++x)
                for (int c = 0; c < 3; ++c)
                  scene.at<cv::Vec3f>(y, x)[c] *= 0.85f + mask.at<float>(y, x) * real[f][2 - c];
            cv::pow(scene, 1 / 2.2, scene);
            scene.convertTo(scene, CV_8UC3, 255);
            return shoot(scene, random_);
          },
          1);
      tally.add(liveness::judge_light(seen, shown));
    }
    report(lit.name, tally, lit.attack, lit.attack ? "<= 0" : "<= 0.02", "light alone");
  }
}

void Bench::nuaa(const std::string& tar) {
  Dataset data;
  if (tar.empty() || !data.open(tar)) {
    std::fprintf(stderr, "skipped: no nuaa-4-subjects.tar\n");
    return;
  }
  Tally live[3], print[3];
  for (const Picture& picture : data.pictures()) {
    std::vector<Observation> seen(1);
    if (pipeline_.observe({picture.bytes, 0, -1}, seen[0])) seen[0].faces = 0;
    const Outcome all[] = {liveness::judge_passive(seen), liveness::judge_texture(seen)};
    Tally* const tally = picture.name.find("/live/") != std::string::npos ? live : print;
    tally[0].add(liveness::fuse(all, {liveness::Method::kPassive}));
    tally[1].add(all[0]);
    tally[2].add(all[1]);
  }
  constexpr const char* kParts[] = {"", "_network", "_texture"};
  constexpr const char* kBy[] = {"network and texture, one frame", "network alone", "texture alone"};
  for (int i = 0; i < 3; ++i) {
    report(std::string("apcer_nuaa_print") + kParts[i], print[i], true, "", kBy[i]);
    report(std::string("bpcer_nuaa") + kParts[i], live[i], false, "", kBy[i]);
  }
}

int run(const char* models, const char* tar, size_t step, std::span<char*> parts) {
  const capture::Pipeline::Loaded loaded = capture::Pipeline::load({.models = models});
  if (!loaded.pipeline) {
    std::fprintf(stderr, "skipped: %s\n", loaded.missing.empty() ? "no models" : loaded.missing[0].c_str());
    return 0;
  }
  Bench bench(*loaded.pipeline);
  bench.load(std::string(models) + "/portraits");
  const auto wanted = [&](std::string_view part) {
    return parts.empty() || std::any_of(parts.begin(), parts.end(), [&](const char* p) { return p == part; });
  };
  if (wanted("depth")) bench.depth();
  if (wanted("nuaa")) bench.nuaa(tar);
  if (wanted("pictures")) bench.pictures(std::max<size_t>(1, step / 2));
  if (wanted("films")) bench.films(step);
  return 0;
}

}  // namespace
}  // namespace visage::bench

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  return visage::bench::run(argv[1], argv[2], std::max<size_t>(1, std::strtoul(argv[3], nullptr, 10)),
                            std::span(argv + 4, argv + argc));
}
