// Runs every target over its inputs, and over each input cut short, lengthened and damaged in each byte:
// replay FOLDER …, where FOLDER/<target>/* are the inputs. Built with the address and undefined-behaviour
// sanitizers, without libFuzzer.
#include <sanitizer/common_interface_defs.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "target.h"

namespace visage::fuzz {
namespace {

struct Entry {
  const char* name;
  Target run;
};
std::vector<Entry>& targets() {
  static std::vector<Entry> all;
  return all;
}

// What is being run, for the report of a finding.
std::string current;
void tell_current() {
  std::fprintf(stderr, "while running %s or a change of it\n", current.c_str());
}

// From an exact allocation, so that the sanitizer sees one byte too far.
void run_exact(Target run, const std::vector<uint8_t>& input) {
  const auto copy = std::make_unique<uint8_t[]>(input.size());
  std::copy(input.begin(), input.end(), copy.get());
  run({copy.get(), input.size()});
}

size_t run_around(Target run, const std::vector<uint8_t>& seed) {
  size_t runs = 1;
  run_exact(run, seed);
  // Long features repeat themselves: a stride keeps a seed at about a thousand runs.
  const size_t stride = seed.size() / 256 + 1;
  for (size_t i = 0; i <= seed.size(); i += stride, ++runs)
    run_exact(run, {seed.begin(), seed.begin() + static_cast<long>(i)});
  for (size_t i = 0; i < seed.size(); i += i < 160 ? 1 : stride)
    for (uint8_t change : {0x01, 0x80, 0xFF}) {
      std::vector<uint8_t> damaged = seed;
      damaged[i] ^= change;
      run_exact(run, damaged);
      ++runs;
    }
  for (size_t extra : {1u, 16u, 20000u}) {
    std::vector<uint8_t> longer = seed;
    longer.resize(seed.size() + extra);
    run_exact(run, longer);
    ++runs;
  }
  return runs;
}

}  // namespace

Registration::Registration(const char* name, Target run) {
  targets().push_back({name, run});
}

int replay(const std::vector<std::filesystem::path>& folders) {
  size_t passed = 0, failed = 0;
  for (const Entry& target : targets()) {
    size_t runs = 0;
    for (const std::filesystem::path& folder : folders) {
      if (!std::filesystem::is_directory(folder / target.name)) continue;
      for (const auto& file : std::filesystem::directory_iterator(folder / target.name)) {
        current = file.path().string();
        std::ifstream in(file.path(), std::ios::binary);
        runs += run_around(target.run, {std::istreambuf_iterator<char>(in), {}});
      }
    }
    std::printf("%-16s %zu inputs\n", target.name, runs);
    ++(runs == 0 ? failed : passed);  // a target without seeds tests nothing; a finding aborts the program
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed != 0;
}

}  // namespace visage::fuzz

int main(int count, char** arguments) {
  __sanitizer_set_death_callback(visage::fuzz::tell_current);
  return visage::fuzz::replay({arguments + 1, arguments + count});
}
