#include <algorithm>
#include <functional>

#include "accuracy_progress.h"
#include "protection_figures.h"
#include "protection_linkage.h"

namespace visage::bench::protection {
namespace {

constexpr size_t kBits = 1024;
constexpr size_t kCopies = 6;  // references of each picture in each of two institutions
constexpr size_t kNulls = 10;
constexpr size_t kPairsPerPerson = 50;  // of different captures; a few people have hundreds of pictures

struct Reference {
  size_t person;
  std::vector<uint8_t> envelope, code;
  Spectrum spectrum;
};

Reference reference_of(Setting& setting, size_t face, uint32_t institution) {
  Record record = setting.bank.enrol(setting.faces.contents(face), kBits, institution);
  const reference::Opened opened = setting.bank.open(record);
  const Bytes code = record.code_bytes(opened);
  return {setting.faces.all[face].person,
          std::move(record.envelope),
          {code.begin(), code.end()},
          spectrum_of(code, reference::block_width(setting.faces.dimension))};
}

// Two institutions' references of the same pictures: copy k of picture i at i·kCopies + k.
struct TwoDatabases {
  std::vector<Reference> first, second;
};

TwoDatabases enrol_twice(Setting& setting, const std::vector<size_t>& pictures, const char* what) {
  Progress progress(what, pictures.size());
  TwoDatabases out;
  for (const size_t face : pictures) {
    for (size_t copy = 0; copy < kCopies; ++copy) {
      out.first.push_back(reference_of(setting, face, 1));
      out.second.push_back(reference_of(setting, face, 2));
    }
    progress.step();
  }
  return out;
}

using Visit = std::function<void(const Reference&, const Reference&)>;

void visit_mated(const TwoDatabases& databases, const Visit& visit) {
  for (size_t i = 0; i < databases.first.size(); ++i)
    for (size_t j = i / kCopies * kCopies, k = 0; k < kCopies; ++k)
      visit(databases.first[i], databases.second[j + k]);
}

void visit_non_mated(Random& random, const TwoDatabases& databases, const Visit& visit) {
  std::uniform_int_distribution<size_t> pick(0, databases.first.size() - 1);
  for (size_t left = databases.first.size() * kCopies; left != 0;) {
    const Reference &a = databases.first[pick(random)], &b = databases.second[pick(random)];
    if (a.person == b.person) continue;
    visit(a, b);
    --left;
  }
}

struct Null {
  double mean = 0, highest = 0;
};

// D_sys of non-mated against non-mated, of the sizes of the real one.
Null null_of(const std::vector<std::vector<double>>& sets) {
  Null out;
  for (size_t i = 0; i + 1 < sets.size(); ++i) {
    const double dsys = linkability(sets[i], sets[i + 1]).dsys;
    out.mean += dsys / static_cast<double>(sets.size() - 1);
    out.highest = std::max(out.highest, dsys);
  }
  return out;
}

struct Function {
  const char* name;
  const char* note;
  std::function<double(const Reference&, const Reference&)> score;
};

Learned learn(Setting& setting) {
  const TwoDatabases databases =
      enrol_twice(setting, faces_of(setting.faces.known), "references to learn from");
  Learned learned(reference::block_width(setting.faces.dimension), kBits);
  visit_mated(databases, [&](const auto& a, const auto& b) { learned.teach(a.spectrum, b.spectrum, true); });
  visit_non_mated(setting.random, databases,
                  [&](const auto& a, const auto& b) { learned.teach(a.spectrum, b.spectrum, false); });
  learned.finish();
  return learned;
}

void report_secret(Setting& setting, Figures& figures) {
  const Learned learned = learn(setting);
  const TwoDatabases databases = enrol_twice(setting, faces_of(setting.faces.attacked), "references to link");
  const Function functions[] = {
      {"hamming", "L1, opened codes: normalised Hamming distance",
       [](const Reference& a, const Reference& b) { return hamming(a.code, b.code); }},
      {"envelope", "L0, stored envelopes, headers and all: normalised Hamming distance",
       [](const Reference& a, const Reference& b) { return hamming(a.envelope, b.envelope); }},
      {"learned", "L1, opened codes: linear discriminant learned on the other half of the people",
       [&](const Reference& a, const Reference& b) { return learned.score(a.spectrum, b.spectrum); }},
  };
  double worst = -1, worst_null = 0;
  const char* worst_name = "";
  size_t n = 0;
  for (const Function& function : functions) {
    std::vector<double> mated;
    std::vector<std::vector<double>> strangers(kNulls + 1);
    visit_mated(databases, [&](const auto& a, const auto& b) { mated.push_back(function.score(a, b)); });
    Progress progress(function.name, strangers.size());
    for (std::vector<double>& set : strangers) {
      visit_non_mated(setting.random, databases,
                      [&](const auto& a, const auto& b) { set.push_back(function.score(a, b)); });
      progress.step();
    }
    const Linkability found = linkability(mated, strangers[0]);
    const Null null = null_of(strangers);
    n = mated.size();
    print(std::string("dsys_") + function.name, found.dsys, "D_sys", "", n,
          text("%s; %zu mated pairs (one picture enrolled in two institutions: the most alike that two can "
               "be), as many non-mated; m = %zu",
               function.note, n, kBits));
    print(std::string("dsys_null_") + function.name, null.mean, "D_sys", "", n,
          text("non-mated against non-mated, mean of %zu; highest %.4f", kNulls, null.highest));
    if (found.dsys > worst) worst = found.dsys, worst_null = null.mean, worst_name = function.name;
    if (function.name == functions[0].name) figures.secret = found, figures.secret_null = null.mean;
  }
  print("dsys", worst, "D_sys", "<= 0.02", n, text("the worst of the three: %s", worst_name));
  print("dsys_null", worst_null, "D_sys", "", n, "null of the same function");
}

// Both roots stolen, captures different; and the control: that the measure sees codes of one rotation.
void report_stolen(Setting& setting, Figures& figures) {
  struct Opened {
    Feature back;
    std::vector<uint8_t> same_seed;
  };
  const Faces& faces = setting.faces;
  const std::vector<size_t> pictures = faces_of(faces.attacked);
  const reference::Opened one_seed =
      setting.bank.open(setting.bank.enrol(faces.contents(pictures[0]), kBits));
  std::vector<Opened> all(faces.all.size());
  for (const size_t face : pictures) {
    const reference::Opened opened = setting.bank.open(setting.bank.enrol(faces.contents(face), kBits));
    const Stolen stolen{&opened, kBits};
    std::vector<float> rotated(kBits);
    reference::rotate(faces.feature(face), faces.dimension, kBits, one_seed.masks, rotated.data());
    all[face] = {back_project({&stolen, 1}, faces.dimension), std::vector<uint8_t>(kBits / 8)};
    reference::pack_signs(rotated.data(), kBits, all[face].same_seed.data());
  }
  std::vector<double> mated, control;
  size_t people = 0;
  for (const auto& own : faces.attacked) {
    size_t pairs = 0;
    for (size_t i = 0; i < own.size(); ++i)
      for (size_t j = 0; j < i && pairs < kPairsPerPerson; ++j, ++pairs) {
        mated.push_back(cosine(all[own[i]].back, all[own[j]].back));
        control.push_back(hamming(all[own[i]].same_seed, all[own[j]].same_seed));
      }
    people += pairs != 0;
  }
  std::vector<std::vector<double>> strangers(kNulls + 1);
  std::vector<double> control_strangers;
  std::uniform_int_distribution<size_t> pick(0, pictures.size() - 1);
  for (std::vector<double>& set : strangers)
    while (set.size() < mated.size()) {
      const size_t a = pictures[pick(setting.random)], b = pictures[pick(setting.random)];
      if (faces.all[a].person == faces.all[b].person) continue;
      set.push_back(cosine(all[a].back, all[b].back));
      if (&set == &strangers[0]) control_strangers.push_back(hamming(all[a].same_seed, all[b].same_seed));
    }
  figures.stolen = linkability(mated, strangers[0]);
  const Null null = null_of(strangers);
  const std::string sizes =
      text("%zu mated pairs of different captures of %zu people, as many non-mated", mated.size(), people);
  print("dsys_stolen_seeds", figures.stolen.dsys, "D_sys", "", mated.size(),
        "L2, both roots stolen: cosine of the back-projections; " + sizes);
  print("dsys_null_stolen_seeds", null.mean, "D_sys", "", mated.size(),
        text("non-mated against non-mated, mean of %zu; highest %.4f", kNulls, null.highest));
  print("dsys_control_one_seed", linkability(control, control_strangers).dsys, "D_sys", "", mated.size(),
        "what the system never does, all codes under one seed: the measure sees it; Hamming distance; " +
            sizes);
}

}  // namespace

void report_unlinkability(Setting& setting, Figures& figures) {
  report_secret(setting, figures);
  report_stolen(setting, figures);
}

}  // namespace visage::bench::protection
