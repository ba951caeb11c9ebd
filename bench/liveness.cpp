// make bench-liveness: APCER by species and BPCER (ISO/IEC 30107-3) of each method where it matters.
//
//   liveness <models> <nuaa-4-subjects.tar or ""> <every n-th portrait for films> <file of finished work>
//            [depth|nuaa|pictures|light|grain|films …]
#include <cmath>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <functional>

#include "accuracy_dataset.h"
#include "accuracy_parallel.h"
#include "core/base/base64.h"
#include "json_line.h"
#include "liveness_actor.h"
#include "liveness_cache.h"
#include "liveness_made.h"
#include "liveness_report.h"
#include "measure.h"
#include "quality_faces.h"
#include "sidecar/capture/pipeline.h"
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

struct Person {
  std::string file;
  std::once_flag looked;
  cv::Mat portrait;
  Observation seen;
  std::once_flag cast;
  Actor actor;
};

class Bench {
 public:
  Bench(const capture::Pipeline& pipeline, SheetCache& cache, const std::vector<std::string>& portraits)
      : pipeline_(pipeline), cache_(cache), people_(portraits.size()) {
    for (size_t i = 0; i < portraits.size(); ++i) people_[i].file = portraits[i];
  }

  void depth();
  void films(size_t step);
  void grain(size_t step);
  void pictures(size_t step);
  void light(size_t step);
  void nuaa(const std::string& tar);

 private:
  using Frame = std::function<std::vector<uint8_t>(size_t frame)>;
  using Work = std::function<void(size_t item, Random& random, Sheet& sheet)>;

  // Items from `first` to `count`, every `step`th. Chance depends on the part and the item alone, so it
  // matters neither which thread takes an item nor in which run.
  std::vector<Sheet> run(const std::string& part, size_t first, size_t count, size_t step, const Work& work) {
    std::vector<Sheet> sheets(first < count ? (count - first + step - 1) / step : 0);
    std::mutex mutex;
    std::time_t told = std::time(nullptr);
    on_every_core(part.c_str(), sheets.size(), [&] {
      return [&](size_t k) {
        const size_t item = first + k * step;
        const std::string unit = part + std::to_string(item);
        Sheet sheet;
        if (!cache_.find(unit, sheet)) {
          std::seed_seq seed(unit.begin(), unit.end());
          Random random(seed);
          work(item, random, sheet);
          cache_.keep(unit, sheet);
        }
        const std::lock_guard lock(mutex);
        sheets[k] = std::move(sheet);
        constexpr std::time_t kTellEvery = 60;  // s
        if (std::time(nullptr) - told < kTellEvery) return true;
        told = std::time(nullptr);
        report_so_far(sheets);
        return true;
      };
    });
    print_spread(sheets);
    return sheets;
  }

  // Of people, from the first one on. In whose portrait there is no face has an empty sheet.
  using WorkOfPerson = std::function<void(const Person& person, size_t item, Random& random, Sheet& sheet)>;
  std::vector<Sheet> run_people(const std::string& part, size_t first, size_t step,
                                const WorkOfPerson& work) {
    return run(part, first, people_.size(), step, [&](size_t i, Random& random, Sheet& sheet) {
      if (const Person& found = person(i); found.seen.faces > 0) work(found, i, random, sheet);
    });
  }

  const Person& person(size_t i) {
    Person& out = people_[i];
    std::call_once(out.looked, [&] {
      const std::vector<uint8_t> bytes = read_bytes(out.file);
      if (pipeline_.observe({bytes, 0, -1}, out.seen)) out.seen.faces = 0;
      out.portrait = cv::imdecode(bytes, cv::IMREAD_COLOR);
    });
    return out;
  }

  // Of a person whose portrait has a face.
  const Actor& actor(size_t i) {
    const Person& found = person(i);
    Person& out = people_[i];
    std::call_once(out.cast, [&] { out.actor = bring_to_rest(pipeline_, found.portrait, found.seen); });
    return out.actor;
  }

  // Who takes over in the middle of a film.
  const Actor& somebody_else(size_t i) {
    for (size_t k = i + 7;; ++k) {
      const size_t other = k % people_.size();
      if (other != i && person(other).seen.faces > 0 && actor(other).left_out.empty()) return actor(other);
    }
  }

  std::vector<Observation> film(Random& random, size_t frames, const Frame& make, int light_per_frame = 0) {
    std::vector<Observation> out(frames);
    for (size_t i = 0; i < frames; ++i) {
      const std::vector<uint8_t> bytes = make(i);
      // A camera of 15 pictures a second whose clock shakes.
      const int64_t time = static_cast<int64_t>(i) * 66'667 + static_cast<int64_t>(random() % 4000);
      if (pipeline_.observe({bytes, time, light_per_frame > 0 ? static_cast<int>(i) / light_per_frame : -1},
                            out[i]))
        out[i].faces = 0;
    }
    return out;
  }

  // One picture, encoded again with another quality for every frame, a pixel to and fro.
  std::vector<Observation> still_again(Random& random, const std::vector<uint8_t>& once) {
    const cv::Mat shot = cv::imdecode(once, cv::IMREAD_COLOR);
    return film(random, 8, [&](size_t f) {
      const cv::Matx23f move(1, 0, static_cast<float>(f % 3) - 1, 0, 1, static_cast<float>(f % 2));
      cv::Mat moved;
      cv::warpAffine(shot, moved, move, shot.size(), cv::INTER_NEAREST, cv::BORDER_REPLICATE);
      return encode(moved, 80 + static_cast<int>(f) * 2);
    });
  }

  // A recording of some frames goes round, encoded again each time; the first time with this quality.
  std::vector<Observation> loop(Random& random, const Puppet& puppet, const std::vector<Pose>& poses,
                                size_t frames, int quality = 82) {
    std::vector<cv::Mat> recorded;
    for (const Pose& pose : poses)
      recorded.push_back(cv::imdecode(shoot(puppet.show(pose), random), cv::IMREAD_COLOR));
    return film(random, frames, [&](size_t f) {
      return encode(recorded[f % poses.size()], quality + static_cast<int>(f % 18));
    });
  }

  std::vector<Observation> loop(Random& random, const Puppet& puppet) {
    return loop(random, puppet, {{}, {.yaw = 2}, {.yaw = 4}, {.yaw = 6}}, 10);
  }

  const capture::Pipeline& pipeline_;
  SheetCache& cache_;
  std::deque<Person> people_;
};

void Bench::depth() {
  constexpr std::pair<Shape, const char*> kShapes[] = {
      {Shape::kHead, "bpcer_made_depth"},     {Shape::kMeshHead, "bpcer_made_depth_of_mesh"},
      {Shape::kPlane, "apcer_depth_plane"},   {Shape::kBent, "apcer_depth_bent"},
      {Shape::kFolded, "apcer_depth_folded"}, {Shape::kPierced, "apcer_depth_pierced"},
      {Shape::kHollow, "apcer_depth_hollow"}, {Shape::kUniform, "apcer_depth_uniform"},
      {Shape::kSmooth, "apcer_depth_smooth"}, {Shape::kElsewhere, "apcer_depth_elsewhere"}};
  constexpr int kMaps = 4;  // of one person and shape
  const auto judge = [&](const Person& person, size_t i, Random& random, Sheet& sheet) {
    // A head that is turned further is no capture that the profiles accept (7.4h).
    constexpr float kMostTurned = 20;
    const bool turned =
        std::max(std::abs(person.seen.pose.yaw), std::abs(person.seen.pose.pitch)) > kMostTurned;
    double milliseconds = 0;
    int maps = 0;
    for (const auto& [shape, name] : kShapes) {
      if (turned && !std::string_view(name).starts_with("apcer")) continue;
      for (int k = 0; k < kMaps; ++k, ++maps) {
        const quality::DepthFrame map = make_depth(shape, person.portrait.size(), person.seen.mesh, random);
        const double start = thread_ms();
        const liveness::Relief relief =
            liveness::measure_relief(liveness::depth_face(map, person.portrait.size(), person.seen.mesh));
        milliseconds += thread_ms() - start;
        // Limits are set on every other person, and held against the rest.
        if (i % 2 == 1) sheet.outcomes.emplace_back(name, liveness::judge_depth(relief, true));
        if (i % 2 == 1 || !relief.known) continue;
        const std::string of = std::string(name) + ".";
        for (const auto& [what, value] : {std::pair{"plane", relief.plane},
                                          {"bent", relief.bent},
                                          {"bulge", relief.bulge},
                                          {"cheeks", relief.cheeks},
                                          {"nose", relief.nose},
                                          {"agreement", relief.agreement},
                                          {"eyes", relief.eyes}})
          sheet.numbers.emplace_back(of + what, value);
      }
    }
    sheet.numbers.emplace_back("depth_ms", static_cast<float>(milliseconds / maps));
  };
  std::vector<Row> rows;
  for (const auto& [shape, name] : kShapes)
    rows.push_back({name, std::string_view(name).starts_with("apcer") ? "<= 0" : "<= 0.02", "depth alone"});
  report(run_people("depth", 0, 1, judge), rows);
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

// As injection judges it: how alike the grain of frames is, of the pairs that are least alike; and, of the
// quarter of frames that are most like another, what they do not share with it, as a part of what they do not
// share with a quarter of all.
void add_grain(const std::string& name, liveness::Observations frames, Sheet& sheet) {
  std::vector<float> pairs, parts;
  for (size_t i = 0; i < frames.size(); ++i) {
    std::vector<float> others;
    float companion = -1;
    for (size_t j = 0; j < frames.size(); ++j) {
      if (j == i) continue;
      const liveness::Sameness same = liveness::compare_grain(frames[i], frames[j]);
      if (same.pixels == 0) continue;
      others.push_back(same.correlation);
      if (j < i) pairs.push_back(same.correlation);
      if (j + 1 < i || i + 1 < j) companion = std::max(companion, same.correlation);
    }
    std::sort(others.rbegin(), others.rend());
    if (others.size() > 1)
      parts.push_back((1 - companion) / (1 - others[std::max(others.size() / 4, size_t{1})]));
  }
  if (pairs.empty() || parts.empty()) return;
  std::sort(pairs.begin(), pairs.end());
  std::sort(parts.begin(), parts.end());
  sheet.numbers.emplace_back(name + ".quarter_of_pairs", pairs[pairs.size() / 4]);
  sheet.numbers.emplace_back(name + ".not_shared", parts[parts.size() / 4]);
}

// What the limits of noise are set by, on people whom no film of an even step shows.
void Bench::grain(size_t step) {
  run_people("grain", 1, step, [&](const Person& person, size_t, Random& random, Sheet& sheet) {
    const Puppet puppet(person.portrait, person.seen.mesh);
    const std::vector<Pose> frames = script({{.yaw = 24}, {.open = 1}});
    add_grain("grain_film",
              film(random, frames.size(), [&](size_t f) { return shoot(puppet.show(frames[f]), random); }),
              sheet);
    add_grain("grain_still_again", still_again(random, shoot(person.portrait, random)), sheet);
    add_grain("grain_loop", loop(random, puppet), sheet);
    add_grain("grain_loop_coarse", loop(random, puppet, {{}, {.yaw = 2}, {.yaw = 4}, {.yaw = 6}}, 10, 76),
              sheet);
    add_grain("grain_loop_of_two", loop(random, puppet, {{}, {.yaw = 4}}, 10), sheet);
    const std::vector<Pose> turn = script({{.yaw = 24}});
    add_grain("grain_twice", loop(random, puppet, turn, 2 * turn.size()), sheet);
  });
}

void Bench::films(size_t step) {
  using challenge::Movement;
  constexpr std::pair<Movement, Pose> kMoves[] = {
      {Movement::kTurnLeft, {.yaw = 24}},  {Movement::kTurnRight, {.yaw = -24}},
      {Movement::kNod, {.pitch = 20}},     {Movement::kBlink, {.blink = 1}},
      {Movement::kOpenMouth, {.open = 1}}, {Movement::kSmile, {.smile = 1}}};
  constexpr const char* kBy = "challenge, continuity and injection";
  const auto judge = [](liveness::Observations frames, const challenge::Challenge& asked) {
    const Outcome all[] = {liveness::judge_injection(frames, {}), liveness::judge_continuity(frames),
                           liveness::judge_challenge(frames, asked)};
    return liveness::fuse(
        all, {liveness::Method::kChallenge, liveness::Method::kContinuity, liveness::Method::kInjection});
  };
  const auto work = [&](const Person& person, size_t i, Random& random, Sheet& sheet) {
    const Actor& actor = this->actor(i);
    for (const std::string_view why : kLeftOut)
      sheet.outcomes.emplace_back(
          "left_out_" + std::string(why),
          actor.left_out == why
              ? liveness::undetermined(liveness::Method::kChallenge, liveness::Reason::kNothingAsked)
              : liveness::pass(liveness::Method::kChallenge));
    if (!actor.left_out.empty()) {
      std::fprintf(stderr, "left out: %s, %s\n", person.file.c_str(), actor.left_out.data());
      return;
    }
    const Puppet puppet(actor.portrait, actor.seen.mesh);
    // Three of the six movements in a random order, asked for and done.
    std::vector<size_t> order = {0, 1, 2, 3, 4, 5};
    std::shuffle(order.begin(), order.end(), random);
    challenge::Challenge asked, reversed;
    asked.count = reversed.count = 3;
    std::vector<Pose> poses;
    for (size_t k = 0; k < 3; ++k) {
      asked.steps[k] = reversed.steps[2 - k] = kMoves[order[k]].first;
      poses.push_back(kMoves[order[k]].second);
    }
    const std::vector<Pose> frames = script(poses);
    std::vector<Observation> seen =
        film(random, frames.size(), [&](size_t f) { return shoot(puppet.show(frames[f]), random); });
    sheet.outcomes.emplace_back("bpcer_made_films", judge(seen, asked));
    sheet.outcomes.emplace_back("bpcer_made_films_injection", liveness::judge_injection(seen, {}));
    sheet.outcomes.emplace_back("bpcer_made_films_continuity", liveness::judge_continuity(seen));
    sheet.outcomes.emplace_back("bpcer_made_films_challenge", liveness::judge_challenge(seen, asked));
    sheet.outcomes.emplace_back("apcer_recording", judge(seen, reversed));
    const std::vector<liveness::Event> events = liveness::find_events(seen);
    for (size_t k = 0; k < 3; ++k) {
      const bool found = std::any_of(events.begin(), events.end(), [&](const liveness::Event& event) {
        return event.movement == asked.steps[k];
      });
      sheet.outcomes.emplace_back(
          std::string("missed_") + challenge::word(asked.steps[k]),
          found ? liveness::pass(liveness::Method::kChallenge)
                : liveness::fail(liveness::Method::kChallenge, liveness::Reason::kMovementMissing));
    }
    // Somebody else finishes.
    const Actor& other = somebody_else(i);
    const Puppet second(other.portrait, other.seen.mesh);
    std::vector<Observation> mixed =
        film(random, 4, [&](size_t f) { return shoot(second.show(frames[12 + f]), random); });
    for (size_t f = 0; f < 4; ++f) {
      mixed[f].time_us = seen[12 + f].time_us;
      std::swap(seen[12 + f], mixed[f]);
    }
    sheet.outcomes.emplace_back("apcer_exchange", judge(seen, asked));
    const std::vector<uint8_t> once = shoot(actor.portrait, random);
    sheet.outcomes.emplace_back("apcer_injected_still",
                                liveness::judge_injection(film(random, 8, [&](size_t) { return once; }), {}));
    sheet.outcomes.emplace_back("apcer_injected_still_encoded_again",
                                liveness::judge_injection(still_again(random, once), {}));
    sheet.outcomes.emplace_back("apcer_replay_loop", liveness::judge_injection(loop(random, puppet), {}));
    sheet.outcomes.emplace_back(
        "apcer_replay_twice", liveness::judge_injection(loop(random, puppet, frames, 2 * frames.size()), {}));
    // A photograph turned in the hand.
    challenge::Challenge turns;
    turns.count = 2;
    turns.steps = {Movement::kTurnLeft, Movement::kTurnRight};
    const std::vector<Pose> turned = script({{.yaw = 45}, {.yaw = -45}});
    const std::vector<Observation> paper = film(random, turned.size(), [&](size_t f) {
      return shoot(turn_flat(actor.portrait, turned[f].yaw, 0), random);
    });
    sheet.outcomes.emplace_back("apcer_turned_photograph", judge(paper, turns));
    sheet.numbers.emplace_back("parallax.flat", liveness::parallax(paper[0].mesh, paper[6].mesh));
    const std::vector<Observation> head =
        film(random, 2, [&](size_t f) { return shoot(puppet.show({.yaw = f == 0 ? 0.0f : 20.0f}), random); });
    sheet.numbers.emplace_back("parallax.head", liveness::parallax(head[0].mesh, head[1].mesh));
  };
  std::vector<Row> rows;
  for (const std::string_view why : kLeftOut)
    rows.push_back({"left_out_" + std::string(why), "", "portraits that no film was made of"});
  rows.insert(rows.end(), {{"bpcer_made_films", "<= 0.02", kBy},
                           {"bpcer_made_films_injection", "<= 0.02", "injection alone"},
                           {"bpcer_made_films_continuity", "", "continuity alone"},
                           {"bpcer_made_films_challenge", "", "challenge alone"},
                           {"apcer_recording", "<= 0", kBy},
                           {"apcer_exchange", "<= 0", kBy},
                           {"apcer_injected_still", "<= 0", "injection alone"},
                           {"apcer_injected_still_encoded_again", "<= 0", "injection alone"},
                           {"apcer_replay_loop", "<= 0", "injection alone"},
                           {"apcer_replay_twice", "<= 0", "injection alone; a whole film, then again"},
                           {"apcer_turned_photograph", "<= 0", kBy}});
  for (const auto& [movement, pose] : kMoves)
    rows.push_back(
        {std::string("missed_") + challenge::word(movement), "", "share of made movements not seen"});
  report(run_people("films", 0, step, work), rows);
}

void judge_picture(const std::string& metric, liveness::Observations seen, Sheet& sheet) {
  const Outcome all[] = {liveness::judge_passive(seen), liveness::judge_texture(seen)};
  sheet.outcomes.emplace_back(metric, liveness::fuse(all, {liveness::Method::kPassive}));
  sheet.outcomes.emplace_back(metric + "_network", all[0]);
  sheet.outcomes.emplace_back(metric + "_texture", all[1]);
}

std::vector<Row> rows_of_pictures(std::span<const char* const> metrics) {
  std::vector<Row> rows;
  for (const std::string metric : metrics) {
    rows.push_back({metric, "", "network and texture, one frame"});
    rows.push_back({metric + "_network", "", "network alone"});
    rows.push_back({metric + "_texture", "", "texture alone"});
  }
  return rows;
}

void Bench::pictures(size_t step) {
  constexpr const char* kMetrics[] = {"bpcer_made_pictures", "apcer_print", "apcer_screen",
                                      "apcer_cut_print"};
  const auto work = [&](const Person& person, size_t, Random& random, Sheet& sheet) {
    const cv::Mat shown[] = {person.portrait, printed(person.portrait, random),
                             on_screen(person.portrait, random),
                             cut_out(person.portrait, person.seen.mesh, random)};
    for (size_t k = 0; k < std::size(shown); ++k)
      judge_picture(kMetrics[k], film(random, 1, [&](size_t) { return shoot(shown[k], random); }), sheet);
  };
  report(run_people("pictures", 0, step, work), rows_of_pictures(kMetrics));
}

// The screen's colours on the face, and three attacks.
void Bench::light(size_t step) {
  struct Lit {
    const char* name;
    float face, background;
    bool other;
  };
  constexpr Lit kLit[] = {{"bpcer_made_light", 0.12f, 0.02f, false},
                          {"apcer_injected_unlit", 0, 0, false},
                          {"apcer_recorded_light", 0.12f, 0.02f, true},
                          {"apcer_lit_print", 0.12f, 0.12f, false}};
  const auto work = [&](const Person& person, size_t i, Random& random, Sheet& sheet) {
    const std::vector<uint8_t> nonce(32, static_cast<uint8_t>(i)), other(32, static_cast<uint8_t>(i + 101));
    const liveness::LightSequence shown = liveness::light_sequence(nonce);
    for (const Lit& lit : kLit) {
      const liveness::LightSequence real = liveness::light_sequence(lit.other ? other : nonce);
      cv::Mat mask(person.portrait.size(), CV_32F, cv::Scalar(static_cast<double>(lit.background)));
      cv::ellipse(mask, cv::Point(person.seen.mesh.points[4]),
                  {cvRound(person.seen.box.width * 0.7f), cvRound(person.seen.box.height * 0.9f)}, 0, 0, 360,
                  cv::Scalar(static_cast<double>(lit.face)), -1);
      const auto frame = [&](size_t f) {
        cv::Mat scene;
        person.portrait.convertTo(scene, CV_32FC3, 1 / 255.0);
        cv::pow(scene, 2.2, scene);
        for (int y = 0; y < scene.rows; ++y)
          for (int x = 0; x < scene.cols; ++x)
            for (int c = 0; c < 3; ++c)
              scene.at<cv::Vec3f>(y, x)[c] *= 0.85f + mask.at<float>(y, x) * real[f][2 - c];
        cv::pow(scene, 1 / 2.2, scene);
        scene.convertTo(scene, CV_8UC3, 255);
        return shoot(scene, random);
      };
      sheet.outcomes.emplace_back(
          lit.name, liveness::judge_light(film(random, liveness::kLightSteps, frame, 1), shown));
    }
  };
  std::vector<Row> rows;
  for (const Lit& lit : kLit)
    rows.push_back(
        {lit.name, std::string_view(lit.name).starts_with("apcer") ? "<= 0" : "<= 0.02", "light alone"});
  report(run_people("light", 0, step, work), rows);
}

void Bench::nuaa(const std::string& tar) {
  Dataset data;
  if (tar.empty() || !data.open(tar)) {
    std::fprintf(stderr, "skipped: no nuaa-4-subjects.tar\n");
    return;
  }
  constexpr const char* kMetrics[] = {"apcer_nuaa_print", "bpcer_nuaa"};
  const auto work = [&](size_t i, Random& random, Sheet& sheet) {
    const Picture& picture = data.pictures()[i];
    const bool live = picture.name.find("/live/") != std::string::npos;
    judge_picture(
        kMetrics[live],
        film(random, 1, [&](size_t) { return std::vector(picture.bytes.begin(), picture.bytes.end()); }),
        sheet);
  };
  report(run("nuaa", 0, data.pictures().size(), 1, work), rows_of_pictures(kMetrics));

  // Frames of one session in front of one camera, in their order though not next to each other: noise as it
  // is.
  std::map<std::string, std::map<int, Bytes>> sessions;
  for (const Picture& picture : data.pictures()) {
    const size_t at = picture.name.rfind('_');
    if (at != std::string::npos && picture.name.find("/live/") != std::string::npos)
      sessions[picture.name.substr(0, at)][std::atoi(picture.name.c_str() + at + 1)] = picture.bytes;
  }
  constexpr size_t kFrames = 6;
  std::vector<std::vector<Bytes>> films;
  for (const auto& [name, frames] : sessions) {
    std::vector<Bytes> next;
    for (const auto& [number, bytes] : frames) {
      next.push_back(bytes);
      if (next.size() == kFrames) films.push_back(std::exchange(next, {}));
    }
  }
  const auto noise = [&](size_t i, Random& random, Sheet& sheet) {
    const std::vector<Observation> seen =
        film(random, kFrames, [&](size_t f) { return std::vector(films[i][f].begin(), films[i][f].end()); });
    add_grain("grain_nuaa", seen, sheet);
    sheet.outcomes.emplace_back("bpcer_nuaa_noise", liveness::judge_injection(seen, {}));
  };
  const Row row{"bpcer_nuaa_noise", "", "injection alone, six frames of a session"};
  report(run("nuaa-noise", 0, films.size(), 1, noise), {&row, 1});
}

// Of all that an outcome depends on: this program, the networks, the portraits, the data.
std::string digest_of(const std::string& models, const std::string& tar) {
  std::vector<std::string> files = {"/proc/self/exe"};
  if (!tar.empty()) files.push_back(tar);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(models))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  uint8_t digest[crypto::kDigestSize] = {};
  for (const std::string& file : files) crypto::sha256(digest, read_bytes(file), digest);
  std::string text(base64_size(sizeof digest), '\0');
  encode_base64(digest, text.data());
  return text;
}

int run(const std::string& models, const char* tar, size_t step, const char* cached, std::span<char*> parts) {
  const capture::Pipeline::Loaded loaded = capture::Pipeline::load({.models = models});
  if (!loaded.pipeline) {
    std::fprintf(stderr, "skipped: %s\n", loaded.missing.empty() ? "no models" : loaded.missing[0].c_str());
    return 0;
  }
  SheetCache cache(cached, digest_of(models, tar));
  Bench bench(*loaded.pipeline, cache, pictures_below(models + "/portraits", 1));
  const auto wanted = [&](std::string_view part) {
    return parts.empty() || std::any_of(parts.begin(), parts.end(), [&](const char* p) { return p == part; });
  };
  if (wanted("nuaa")) bench.nuaa(tar);
  if (wanted("pictures")) bench.pictures(std::max<size_t>(1, step / 2));
  if (wanted("light")) bench.light(step);
  if (wanted("grain")) bench.grain(step);
  if (wanted("films")) bench.films(step);
  if (wanted("depth")) bench.depth();
  return 0;
}

}  // namespace
}  // namespace visage::bench

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  return visage::bench::run(argv[1], argv[2], std::max<size_t>(1, std::strtoul(argv[3], nullptr, 10)),
                            argv[4], std::span(argv + 5, argv + argc));
}
