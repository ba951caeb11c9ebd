// Rows of people with codes, as COPY … (FORMAT binary) reads them, made without the server: registering a
// million one by one takes longer than what is to be measured. For benchmarks alone.
//
// gallery_rows <directory> <people> <envelope.keys> <transform.keys> <gallery id> <epoch> <transform version>
// <salt>
// writes subject, subject_key, subject_reference and gallery_code into the directory, of institution 1, model
// bench/1; and to standard output, a line each, the features of the first ten.
#include <sys/stat.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "core/gallery/code.h"
#include "core/keys/subject_key.h"
#include "core/reference/reference.h"

namespace {

using namespace visage;

constexpr char kModel[] = "bench/1";
constexpr uint16_t kDimension = 128;
constexpr crypto::Suite kSuite = crypto::Suite::kAes256Gcm;
constexpr int kKnown = 10;

std::string read(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class CopyFile {
 public:
  explicit CopyFile(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
    if (file_ == nullptr) {
      std::perror(path.c_str());
      std::exit(1);
    }
    (void)fchmod(fileno(file_), 0644);
    write("PGCOPY\n\xff\r\n\0", 11);
    number(int32_t{0});
    number(int32_t{0});
  }
  ~CopyFile() {
    number(int16_t{-1});
    std::fclose(file_);
  }
  CopyFile(const CopyFile&) = delete;
  CopyFile& operator=(const CopyFile&) = delete;
  void row(int16_t columns) { number(columns); }
  void bytes(const void* value, size_t size) {
    number(static_cast<int32_t>(size));
    write(value, size);
  }
  void uuid(const Uuid& value) { bytes(value.bytes, sizeof value.bytes); }
  void text(const std::string& value) { bytes(value.data(), value.size()); }
  void integer(int32_t value) {
    number(int32_t{4});
    number(value);
  }
  void bigint(int64_t value) {
    number(int32_t{8});
    number(value);
  }

 private:
  template <typename T>
  void number(T value) {
    uint8_t bytes[sizeof value];
    for (size_t i = 0; i < sizeof value; ++i)
      bytes[i] = static_cast<uint8_t>(value >> (8 * (sizeof value - 1 - i)));
    write(bytes, sizeof bytes);
  }
  void write(const void* value, size_t size) { std::fwrite(value, 1, size, file_); }
  std::FILE* file_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return 2;
  const std::string directory = argv[1];
  const long people = std::atol(argv[2]);
  crypto::Engine& engine = *crypto::Engine::create();
  static keys::KeyRing ring;
  bench::check(keys::parse_roots(engine, read(argv[3]), ring.envelope));
  bench::check(keys::parse_roots(engine, read(argv[4]), ring.transform));
  probe::Contents contents = {};
  bench::check(probe::set_model(kModel, contents));
  contents.dimension = kDimension;
  gallery::Epoch epoch = {};
  const int gallery = std::atoi(argv[5]);
  epoch.suite = kSuite;
  epoch.institution = 1;
  epoch.number = static_cast<uint32_t>(std::atol(argv[6]));
  epoch.transform_version = static_cast<uint32_t>(std::atol(argv[7]));
  epoch.dimension = kDimension;
  std::memcpy(epoch.model_digest, contents.model_digest, sizeof epoch.model_digest);
  for (size_t i = 0; i < sizeof epoch.salt; ++i)
    epoch.salt[i] = static_cast<uint8_t>(std::stoi(std::string(argv[8] + 2 * i, 2), nullptr, 16));
  gallery::EpochMasks masks;
  bench::check(gallery::derive_masks(engine, ring, epoch, masks));
  CopyFile subjects(directory + "/subject"), subject_keys(directory + "/subject_key"),
      references(directory + "/subject_reference"), codes(directory + "/gallery_code");
  std::mt19937_64 random(20);
  std::normal_distribution<float> normal;
  std::vector<uint8_t> wrapped(keys::wrapped_size(kSuite)),
      sealed(reference::sealed_size(kSuite, reference::kDefaultCodeBits)),
      code(gallery::sealed_code_size(kSuite));
  for (long i = 0; i < people; ++i) {
    keys::Owner owner = {1, {}};
    bench::check(engine.random_uuid(owner.subject));
    float length = 0;
    for (int j = 0; j < kDimension; ++j) {
      contents.feature[j] = normal(random);
      length += contents.feature[j] * contents.feature[j];
    }
    for (int j = 0; j < kDimension; ++j) contents.feature[j] /= std::sqrt(length);
    if (i < kKnown) {
      for (int j = 0; j < kDimension; ++j)
        std::printf("%s%.7g", j == 0 ? "{" : ",", static_cast<double>(contents.feature[j]));
      std::printf("}\n");
    }
    bench::check(keys::new_subject_key(engine, ring, kSuite, owner, wrapped));
    keys::SubjectKey key;
    bench::check(keys::unwrap_subject_key(engine, ring, owner, wrapped, key));
    reference::Header header = {};
    header.suite = kSuite;
    header.scheme = reference::kSchemeRfr1;
    header.code_bits = reference::kDefaultCodeBits;
    header.owner = owner;
    header.generation = 1;
    bench::check(reference::protect(engine, ring, key, contents, header, sealed));
    gallery::SignCode sign;
    bench::check(gallery::make_code(epoch, masks, contents, sign));
    bench::check(gallery::seal_code(engine, ring, key, kSuite, epoch, masks, {owner, header.reference, 1},
                                    sign, code));
    subjects.row(3);
    subjects.uuid(owner.subject);
    subjects.integer(1);
    subjects.text("made-" + std::to_string(i));
    subject_keys.row(3);
    subject_keys.uuid(owner.subject);
    subject_keys.bytes(wrapped.data(), wrapped.size());
    subject_keys.bigint(header.key_version);
    references.row(9);
    references.uuid(header.reference);
    references.uuid(owner.subject);
    references.bytes(sealed.data(), sealed.size());
    references.text(kModel);
    references.text("RFR-1/1024");
    references.integer(1);
    references.text("bench");
    references.bigint(header.key_version);
    references.bigint(header.transform_version);
    codes.row(5);
    codes.uuid(header.reference);
    codes.uuid(owner.subject);
    codes.integer(gallery);
    codes.integer(1);
    codes.bytes(code.data(), code.size());
  }
  return 0;
}
