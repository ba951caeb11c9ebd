// The known-answer vectors of tests/vectors must decode for ever, to what they were made of.
#include "vectors.h"

#include <sstream>

#include "core/base/text_form.h"
#include "core/gallery/code.h"

namespace visage {
namespace {

using test::Buffer;
using test::engine;
using test::VectorRecord;

// A file that shrank is as bad as one that does not decode.
std::vector<VectorRecord> vectors(const std::string& file, size_t expected) {
  const auto records = test::read_vectors(file);
  EXPECT_EQ(records.size(), expected) << file;
  return records;
}

TEST(VectorsBase, TextForm1) {
  for (const VectorRecord& record : vectors("text-1.txt", 9)) {
    const Buffer bytes = record.bytes("bytes");
    const std::string& text = record.text("text");
    Buffer out(decoded_bound(text.size()));
    size_t size = 0;
    ASSERT_OK(decode_text(text, out, size));
    out.resize(size);
    EXPECT_EQ(out, bytes);
    std::string encoded(encoded_text_size(bytes.size()), ' ');
    encode_text(bytes, encoded.data());
    EXPECT_EQ(encoded, text);
  }
}

TEST(VectorsKeys, SourceKey1) {
  for (const VectorRecord& record : vectors("source_key-1.txt", 4)) {
    keys::KeyRing ring = {};
    record.load_root("envelope_root", ring.envelope);
    probe::SourceKey derived, decoded;
    ASSERT_OK(keys::derive_source_key(engine(), ring, record.suite(), ring.envelope.newest()->version,
                                      static_cast<uint32_t>(record.number("institution")),
                                      record.uuid("source"),
                                      static_cast<uint32_t>(record.number("generation")), derived));
    EXPECT_EQ(test::to_hex(derived.key), record.text("key"));
    ASSERT_OK(probe::decode_source_key(record.text("text"), decoded));
    EXPECT_EQ(test::to_hex(decoded.key), record.text("key"));
    EXPECT_EQ(decoded.suite, record.suite());
    EXPECT_EQ(decoded.key_version, ring.envelope.newest()->version);
    EXPECT_EQ(decoded.institution, record.number("institution"));
    EXPECT_EQ(decoded.generation, record.number("generation"));
    EXPECT_EQ(decoded.source, record.uuid("source"));
    char text[probe::kMaxSourceKeyText];
    ASSERT_OK(probe::encode_source_key(derived, text, sizeof text));
    EXPECT_EQ(text, record.text("text"));
  }
}

TEST(VectorsKeys, WrappedKey1) {
  for (const VectorRecord& record : vectors("wrapped_key-1.txt", 4)) {
    keys::KeyRing ring = {};
    record.load_root("envelope_root", ring.envelope);
    const keys::Owner owner = {static_cast<uint32_t>(record.number("institution")), record.uuid("subject")};
    keys::SubjectKey key;
    ASSERT_OK(keys::unwrap_subject_key(engine(), ring, owner, record.bytes("wrapped"), key));
    EXPECT_EQ(test::to_hex(key.view()), record.text("subject_key"));
  }
}

TEST(VectorsProbe, Probe1) {
  for (const VectorRecord& record : vectors("probe-1.txt", 10)) {
    keys::KeyRing ring = {};
    record.load_root("envelope_root", ring.envelope);
    probe::SourceKey key;
    ASSERT_OK(keys::derive_source_key(engine(), ring, record.suite(), ring.envelope.newest()->version,
                                      static_cast<uint32_t>(record.number("institution")),
                                      record.uuid("source"),
                                      static_cast<uint32_t>(record.number("generation")), key));
    probe::Header header;
    probe::Contents contents;
    ASSERT_OK(probe::open(engine(), key.key, record.bytes("envelope"), header, contents));
    EXPECT_EQ(header.suite, record.suite());
    EXPECT_EQ(header.key_version, ring.envelope.newest()->version);
    EXPECT_EQ(header.institution, record.number("institution"));
    EXPECT_EQ(header.probe, record.uuid("probe"));
    EXPECT_EQ(header.source, record.uuid("source"));
    EXPECT_EQ(header.source_generation, record.number("generation"));
    EXPECT_EQ(header.captured_at, record.number("captured_at"));
    EXPECT_EQ(header.expires_at, record.number("expires_at"));
    EXPECT_EQ(test::to_hex(header.session_nonce), record.text("session_nonce"));
    EXPECT_EQ(contents.model_id(), record.text("model"));
    EXPECT_EQ(test::to_hex(contents.image_digest), record.text("image_digest"));

    ASSERT_EQ(contents.dimension, record.number("dimension"));
    probe::Contents expected = {};
    ASSERT_OK(probe::set_feature(
        test::formula_feature(static_cast<uint32_t>(record.number("feature_seed")), contents.dimension),
        expected));
    EXPECT_EQ(std::memcmp(contents.feature, expected.feature, contents.dimension * sizeof(float)), 0);

    const auto& liveness = record.all("liveness");
    ASSERT_EQ(contents.liveness_count, liveness.size());
    for (size_t i = 0; i < liveness.size(); ++i) {
      std::istringstream line(liveness[i]);
      int method;
      float value;
      line >> method >> value;
      EXPECT_EQ(static_cast<int>(contents.liveness[i].method), method);
      EXPECT_EQ(contents.liveness[i].value, value);
    }
    const auto& quality = record.all("quality");
    ASSERT_EQ(contents.quality_count, quality.size());
    for (size_t i = 0; i < quality.size(); ++i) {
      std::istringstream line(quality[i]);
      int measure, scalar;
      float native;
      line >> measure >> scalar >> native;
      EXPECT_EQ(static_cast<int>(contents.quality[i].measure), measure);
      EXPECT_EQ(contents.quality[i].scalar, scalar);
      EXPECT_EQ(contents.quality[i].native, native);
    }
  }
}

TEST(VectorsReference, Reference1) {
  for (const VectorRecord& record : vectors("reference-1.txt", 16)) {
    keys::KeyRing ring = {};
    record.load_root("envelope_root", ring.envelope);
    record.load_root("transform_root", ring.transform);
    const keys::Owner owner = {static_cast<uint32_t>(record.number("institution")), record.uuid("subject")};
    keys::SubjectKey key;
    ASSERT_OK(keys::unwrap_subject_key(engine(), ring, owner, record.bytes("wrapped"), key));
    EXPECT_EQ(test::to_hex(key.view()), record.text("subject_key"));

    const Buffer envelope = record.bytes("envelope");
    const reference::Stored row = {record.uuid("reference"),
                                   static_cast<uint32_t>(record.number("generation")), envelope};
    reference::Header header;
    reference::Opened opened;
    ASSERT_OK(reference::open(engine(), ring, owner, key, row, header, opened));
    EXPECT_EQ(header.suite, record.suite());
    ASSERT_EQ(header.code_bits, record.number("code_bits"));
    ASSERT_EQ(header.dimension, record.number("dimension"));
    EXPECT_EQ(test::to_hex({opened.code, header.code_bits / 8u}), record.text("code"));
    uint8_t digest[crypto::kDigestSize];
    crypto::sha256({opened.masks, reference::mask_size(header.dimension, header.code_bits)}, digest);
    EXPECT_EQ(test::to_hex(digest), record.text("masks_sha256"));

    ASSERT_EQ(record.all("score").size(), 4u);
    for (const std::string& text : record.all("score")) {
      std::istringstream line(text);
      int own, other;
      double score;
      line >> own >> other >> score;
      const auto feature = test::mixed_feature(static_cast<uint32_t>(record.number("feature_seed")),
                                               header.dimension, own, other);
      match::Comparison comparison;
      ASSERT_OK(match::compare(engine(), ring, owner, key, row,
                               test::contents_of(feature, record.text("model")), comparison));
      ASSERT_TRUE(comparison.comparable);
      EXPECT_NEAR(comparison.score, score, 2e-6) << "single precision, summed in any order";
    }
  }
}

TEST(VectorsGallery, GalleryCode1) {
  for (const VectorRecord& record : vectors("gallery_code-1.txt", 10)) {
    keys::KeyRing ring = {};
    record.load_root("envelope_root", ring.envelope);
    record.load_root("transform_root", ring.transform);
    const gallery::CodeOwner of = {
        {static_cast<uint32_t>(record.number("institution")), record.uuid("subject")},
        record.uuid("reference"),
        static_cast<uint32_t>(record.number("generation"))};
    keys::SubjectKey key;
    ASSERT_OK(keys::unwrap_subject_key(engine(), ring, of.owner, record.bytes("wrapped"), key));
    const auto contents =
        test::contents_of(test::formula_feature(static_cast<uint32_t>(record.number("feature_seed")),
                                                static_cast<size_t>(record.number("dimension"))),
                          record.text("model"));
    gallery::Epoch epoch = {};
    epoch.suite = static_cast<crypto::Suite>(record.number("epoch_suite"));
    epoch.transform_version = ring.transform.newest()->version;
    epoch.institution = of.owner.institution;
    epoch.number = static_cast<uint32_t>(record.number("epoch"));
    epoch.dimension = contents.dimension;
    std::memcpy(epoch.model_digest, contents.model_digest, sizeof epoch.model_digest);
    const Buffer salt = record.bytes("salt");
    ASSERT_EQ(salt.size(), sizeof epoch.salt);
    std::memcpy(epoch.salt, salt.data(), sizeof epoch.salt);
    gallery::EpochMasks masks;
    ASSERT_OK(gallery::derive_masks(engine(), ring, epoch, masks));
    gallery::SignCode code, made;
    ASSERT_OK(gallery::open_code(engine(), ring, key, epoch, masks, of, record.bytes("sealed"), code));
    EXPECT_EQ(test::to_hex(code.view()), record.text("code"));
    ASSERT_OK(gallery::make_code(epoch, masks, contents, made));
    EXPECT_LE(test::differing_bits(made.view(), code.view()), 1u)
        << "a value at rounding error from zero may take either sign";
  }
}

}  // namespace
}  // namespace visage
