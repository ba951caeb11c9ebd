// Photos of identity documents, between their coming and the capture that they are compared with.   [B.1]
// [6.6f]
//
// Of a photo only what a probe holds of it is here (the feature, the measures), in memory that is wiped; the
// photo itself is gone. It is kept for the call of one session, and no longer than that session may last. A
// restart forgets all of them: the photo is then sent again.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/secret.h"
#include "core/probe/probe.h"

namespace visage::sidecar {

// What an authority said of a person.
struct IdentityCheck {
  std::string authority;
  std::vector<std::string> fields;  // names
  std::string reference;
  std::string answer_digest, fields_digest, photo_digest;  // in hexadecimal; of the photo: where there is one
};

struct KeptPhoto {
  KeptPhoto() = default;
  KeptPhoto(const KeptPhoto&) = delete;
  KeptPhoto& operator=(const KeptPhoto&) = delete;
  ~KeptPhoto() { wipe(&contents, sizeof contents); }

  std::string subject;
  std::optional<IdentityCheck> check;  // to be recorded once the photo was compared
  probe::Contents contents{};
};

// Thread-safe.
class PhotoDesk {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t kMost = 2000;

  // In place of one that the session had. False when there is no room.
  bool keep(const std::string& session, std::shared_ptr<const KeptPhoto> photo, Clock::time_point until,
            Clock::time_point now = Clock::now());
  // Null when there is none for this session.
  std::shared_ptr<const KeptPhoto> find(const std::string& session, Clock::time_point now = Clock::now());
  void drop(const std::string& session);
  size_t size(Clock::time_point now = Clock::now());

 private:
  struct Entry {
    std::shared_ptr<const KeptPhoto> photo;
    Clock::time_point until;
  };
  void forget_old(Clock::time_point now);

  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace visage::sidecar
