#include "accuracy_templates.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numbers>

#include "accuracy_parallel.h"
#include "core/match/match.h"

namespace visage::bench {
namespace {

// Scores are sums of some hundred products of single precision.
constexpr double kRounding = 1e-5;

bool derive_masks(crypto::Engine& engine, const Picture& picture, MutableBytes masks) {
  uint8_t seed[crypto::kDigestSize];
  crypto::sha256(as_bytes(picture.name), seed);
  return engine.keystream(crypto::Suite::kAes256Gcm, seed, masks).ok();
}

// Rᵀb: the diagonals in reverse order, since H is symmetric.
void fold(const uint8_t* code, const uint8_t* masks, size_t dimension, size_t code_bits, float* out) {
  const size_t width = reference::block_width(dimension), diagonal = width / 8;
  const size_t blocks = reference::block_count(dimension, code_bits);
  // ‖Rx‖ = √blocks · width^(3/2), from three unscaled transforms; √(π/2) makes an estimate of the cosine.
  const double norm = std::sqrt(static_cast<double>(blocks * width * width * width));
  const auto scale = static_cast<float>(std::sqrt(std::numbers::pi / 2) /
                                        (std::sqrt(static_cast<double>(code_bits)) * norm));
  std::vector<float> values(width);
  std::vector<uint8_t> reversed(reference::kRounds * diagonal);
  std::fill_n(out, width, 0.0f);
  for (size_t block = 0; block < blocks; ++block, code += diagonal, masks += reversed.size()) {
    for (size_t round = 0; round < reference::kRounds; ++round)
      std::memcpy(reversed.data() + round * diagonal, masks + (reference::kRounds - 1 - round) * diagonal,
                  diagonal);
    for (size_t i = 0; i < width; ++i) values[i] = (code[i / 8] >> (i % 8) & 1) != 0 ? -1.0f : 1.0f;
    reference::best_kernels().rotate_block(values.data(), width, reversed.data());
    for (size_t i = 0; i < width; ++i) out[i] += values[i] * scale;
  }
}

size_t dimension_of(const Features& features) {
  for (const probe::Contents& one : features.contents)
    if (one.dimension != 0) return one.dimension;
  return probe::kMinDimension;
}

// Random keys, for references as the product makes them.
struct Keys {
  keys::KeyRing ring{};
  keys::SubjectKey subject;

  bool make(crypto::Engine& engine) {
    for (keys::RootSet* roots : {&ring.envelope, &ring.transform}) {
      uint8_t key[keys::kMinRootSize];
      if (!engine.random(key).ok() || !keys::add_root(engine, *roots, 1, key).ok()) return false;
    }
    return engine.random(subject.span()).ok();
  }
};

// A real reference of picture `index`, folded, against match::compare().
bool agrees(crypto::Engine& engine, const Keys& keys, const Features& features, const Vectors& probes,
            size_t code_bits, size_t index) {
  reference::Header header{};
  header.suite = crypto::Suite::kAes256Gcm;
  header.scheme = reference::kSchemeRfr1;
  header.code_bits = static_cast<uint16_t>(code_bits);
  header.owner = {1, {}};
  header.generation = 1;
  std::vector<uint8_t> envelope(reference::sealed_size(header.suite, code_bits));
  if (!reference::protect(engine, keys.ring, keys.subject, features.contents[index], header, envelope).ok())
    return false;
  const reference::Stored stored{header.reference, header.generation, envelope};
  reference::Header read;
  reference::Opened opened;
  if (!reference::open(engine, keys.ring, header.owner, keys.subject, stored, read, opened).ok())
    return false;
  std::vector<float> folded(probes.width());
  fold(opened.code, opened.masks, read.dimension, code_bits, folded.data());
  const size_t count = features.contents.size(), step = std::max<size_t>(1, count / kChecks);
  for (size_t k = 0; k < kChecks; ++k) {
    // Its neighbour, most often of the same person, and others at equal distances.
    const size_t p = (index + 1 + k * step) % count;
    if (!probes.known(p)) continue;
    match::Comparison comparison;
    if (!match::compare(engine, keys.ring, header.owner, keys.subject, stored, features.contents[p],
                        comparison)
             .ok() ||
        !comparison.comparable ||
        std::abs(comparison.score - dot(folded.data(), probes.row(p), probes.width())) > kRounding)
      return false;
  }
  return true;
}

}  // namespace

Vectors feature_vectors(const Features& features) {
  Vectors out(features.contents.size(), dimension_of(features));
  for (size_t i = 0; i < out.size(); ++i) {
    const probe::Contents& one = features.contents[i];
    if (one.dimension == 0) continue;
    std::copy_n(one.feature, one.dimension, out.row(i));
    out.set_known(i);
  }
  return out;
}

bool make_templates(const Dataset& dataset, const Features& features, size_t code_bits, Vectors& out) {
  const Vectors probes = feature_vectors(features);
  out = Vectors(probes.size(), dimension_of(features));
  if (out.width() > code_bits) return false;
  const auto make_worker = [&]() -> Work {
    const std::shared_ptr<crypto::Engine> engine(crypto::Engine::create());
    const auto keys = std::make_shared<Keys>();
    const bool made = engine != nullptr && keys->make(*engine);
    return [&, engine, keys, made](size_t i) {
      if (!made) return false;
      if (!probes.known(i)) return true;
      const probe::Contents& one = features.contents[i];
      uint8_t masks[reference::kMaxMaskSize], code[reference::kMaxCodeBits / 8];
      float rotated[reference::kMaxCodeBits];
      if (!derive_masks(*engine, dataset.pictures()[i],
                        {masks, reference::mask_size(one.dimension, code_bits)}))
        return false;
      reference::rotate(one.feature, one.dimension, code_bits, masks, rotated);
      reference::pack_signs(rotated, code_bits, code);
      fold(code, masks, one.dimension, code_bits, out.row(i));
      out.set_known(i);
      if (agrees(*engine, *keys, features, probes, code_bits, i)) return true;
      std::fprintf(stderr, "\nmatch::compare() and the benchmark disagree\n");
      return false;
    };
  };
  const std::string what = "references of " + std::to_string(code_bits) + " bits";
  return on_every_core(what.c_str(), out.size(), make_worker);
}

bool rotate_under_own_seeds(const Dataset& dataset, const Features& features, size_t code_bits,
                            OwnSeeds& out) {
  const size_t count = features.contents.size();
  out.code_bits = code_bits;
  out.codes.assign(count * code_bits / 8, 0);
  out.rotated.assign(count * code_bits, 0);
  const std::unique_ptr<crypto::Engine> engine(crypto::Engine::create());
  if (engine == nullptr) return false;
  for (size_t i = 0; i < count; ++i) {
    const probe::Contents& one = features.contents[i];
    if (one.dimension == 0) continue;
    uint8_t masks[reference::kMaxMaskSize];
    float* rotated = out.rotated.data() + i * code_bits;
    if (!derive_masks(*engine, dataset.pictures()[i],
                      {masks, reference::mask_size(one.dimension, code_bits)}))
      return false;
    reference::rotate(one.feature, one.dimension, code_bits, masks, rotated);
    reference::pack_signs(rotated, code_bits, out.codes.data() + i * code_bits / 8);
  }
  return true;
}

}  // namespace visage::bench
