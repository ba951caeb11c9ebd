// Approximate search of a gallery, for those where the exact scan of core/gallery takes too long.
//
// An index holds its own copy of the codes that it was given, and the place that each has in the gallery. It
// offers candidates; what it overlooks is its recall, and what it offers is a code that it was given. Places
// can be bound anew: an index that was read from a snapshot knows codes and no places.
//
// FAISS's classes are the structure and its form on disk; distances and scans are core/gallery's kernels, as
// Debian builds FAISS without an instruction that counts bits. FAISS aborts the process on some wrong
// arguments, so everything is checked here first. FAISS's exceptions end here.
//
// One thread calls an index at a time. add() uses as many threads as its settings say; they must exist with
// the signals that the caller wants them to have: see warm_up().
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "core/base/status.h"
#include "core/gallery/search.h"

namespace visage::gallery_index {

enum class Kind : uint8_t { kHnsw = 1, kIvf = 2 };

constexpr bool known_kind(uint8_t value) {
  return value == 1 || value == 2;
}

// Of a code that is not in the gallery any more; never live.
inline constexpr uint32_t kNoPlace = UINT32_MAX;
inline constexpr size_t kMaxCodes = INT32_MAX;  // FAISS numbers them so
inline constexpr uint32_t kMaxBeam = 65536;

// The defaults are those of the server's settings: what gives a recall of 0.999, docs/gallery-index.md.
struct Settings {
  int threads = 1;
  // HNSW: links of a code to others (twice as many on the lowest level), and how many nearest codes are kept
  // in sight when one is added and when one is searched for.
  uint32_t links = 32;
  uint32_t beam_of_build = 200;
  uint32_t beam_of_search = 1024;
  // IVF: lists that the codes are parted into (0: by their number), and how many thousandths of them a search
  // reads.
  uint32_t lists = 0;
  uint32_t probed_permille = 850;
};

// kInvalidArgument names the setting.
Status check(const Settings& settings);
// The number of lists that an index of about so many codes gets.
uint32_t lists_for(const Settings& settings, size_t codes);
// What an index of so many codes will take, to compare with a limit beforehand.
size_t expected_memory(Kind kind, const Settings& settings, size_t codes);

// Is the code at this place still somebody's? Empty: each is.
using Live = std::function<bool(uint32_t place)>;

// Abstract through and through: who uses an index is in another shared object than FAISS (library.h).
class Index {
 public:
  virtual ~Index() = default;

  virtual Kind kind() const = 0;
  virtual const Settings& settings() const = 0;
  // Threads, beam_of_search and probed_permille; the others are the index's for good.
  virtual Status change(const Settings& settings) = 0;
  // Codes that it was given, and how many of them have a place.
  virtual size_t size() const = 0;
  virtual size_t placed() const = 0;
  // What it takes now, in bytes.
  virtual size_t memory() const = 0;

  // Appends codes, one after the other in `codes`, at `places`. After an error the index is of no use.
  virtual Status add(std::span<const uint64_t> codes, std::span<const uint32_t> places) = 0;
  // Asks for the place of every code, by its number in the index; kNoPlace for one that is gone.
  virtual Status place(const std::function<uint32_t(size_t number, const uint64_t* code)>& place_of) = 0;
  // The same for one; it must be there.
  virtual void place_one(size_t number, uint32_t place) = 0;
  // Offers the live codes that it finds near the probe. `overlooks`: it saw no end of those that `out` would
  // take, so there may be many more.
  virtual Status search(std::span<const uint64_t> probe, const Live& live, gallery::Nearest& out,
                        bool& overlooks) = 0;
};

// An empty index. IVF learns its lists from `sample`, some of the codes that will be added: 40 a list are
// good, one a list is the least. HNSW takes no sample. `proceed`, asked now and then, ends the learning by
// false.
Status create(Kind kind, const Settings& settings, std::span<const uint64_t> sample,
              const std::function<bool()>& proceed, std::unique_ptr<Index>& out);

// Starts the threads of OpenMP. They keep the signal mask of the caller: block all signals around it.
void warm_up(int threads);

}  // namespace visage::gallery_index
