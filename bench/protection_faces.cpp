#include "protection_faces.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

#include "accuracy_features.h"

namespace visage::bench::protection {
namespace {

constexpr size_t kReadyDimension = 128;

Loading through_pipeline(const std::string& data, const std::string& models, Faces& out) {
  Dataset dataset;
  if (!dataset.open(data + "/lfw-half.tar")) return Loading::kNoData;
  capture::Settings settings;
  settings.models = models;
  const capture::Pipeline::Loaded loaded = capture::Pipeline::load(settings);
  for (const std::string& missing : loaded.missing) std::fprintf(stderr, "%s\n", missing.c_str());
  if (!loaded.pipeline) return Loading::kNoData;
  Features features;
  if (!extract_features(dataset, *loaded.pipeline, features)) return Loading::kFailed;
  for (size_t i = 0; i < features.contents.size(); ++i)
    if (features.contents[i].dimension != 0)
      out.all.push_back({features.contents[i], dataset.pictures()[i].person});
  out.source = "lfw-half.tar through the product's pipeline, model " + loaded.pipeline->model_id();
  return Loading::kDone;
}

Loading ready_made(const std::string& data, Faces& out) {
  std::ifstream values(data + "/lfw-half-sface.f32", std::ios::binary);
  std::ifstream names(data + "/lfw-half-sface.txt");
  std::map<std::string, size_t> people;
  std::string name;
  std::vector<float> feature(kReadyDimension);
  while (values && names >> name) {
    values.read(reinterpret_cast<char*>(feature.data()), kReadyDimension * sizeof(float));
    if (!values) break;
    Face face{};
    face.person = people.emplace(name.substr(0, name.find('/')), people.size()).first->second;
    if (!probe::set_feature(feature, face.contents).ok() || !probe::set_model("sface/1", face.contents).ok())
      return Loading::kFailed;
    out.all.push_back(face);
  }
  out.source = "lfw-half-sface.f32";
  return out.all.empty() ? Loading::kNoData : Loading::kDone;
}

void split_people(Random& random, Faces& faces) {
  std::map<size_t, std::vector<size_t>> people;
  for (size_t i = 0; i < faces.all.size(); ++i) people[faces.all[i].person].push_back(i);
  std::vector<std::vector<size_t>> shuffled;
  for (auto& [person, pictures] : people) {
    std::shuffle(pictures.begin(), pictures.end(), random);
    shuffled.push_back(std::move(pictures));
  }
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const auto middle = shuffled.begin() + static_cast<long>(shuffled.size() / 2);
  faces.known.assign(shuffled.begin(), middle);
  faces.attacked.assign(middle, shuffled.end());
}

}  // namespace

std::vector<size_t> faces_of(const std::vector<std::vector<size_t>>& people) {
  std::vector<size_t> faces;
  for (const auto& pictures : people) faces.insert(faces.end(), pictures.begin(), pictures.end());
  return faces;
}

Loading load_faces(const std::string& data, const std::string& models, Random& random, Faces& out) {
  Loading loading = through_pipeline(data, models, out);
  if (loading == Loading::kNoData) loading = ready_made(data, out);
  if (loading != Loading::kDone) return loading;
  out.dimension = out.all.front().contents.dimension;
  split_people(random, out);
  return Loading::kDone;
}

}  // namespace visage::bench::protection
