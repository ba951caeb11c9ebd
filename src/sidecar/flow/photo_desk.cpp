#include "sidecar/flow/photo_desk.h"

namespace visage::sidecar {

void PhotoDesk::forget_old(Clock::time_point now) {
  std::erase_if(entries_, [now](const auto& entry) { return entry.second.until <= now; });
}

bool PhotoDesk::keep(const std::string& session, std::shared_ptr<const KeptPhoto> photo,
                     Clock::time_point until, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  if (entries_.size() >= kMost && !entries_.contains(session)) return false;
  entries_[session] = {std::move(photo), until};
  return true;
}

std::shared_ptr<const KeptPhoto> PhotoDesk::find(const std::string& session, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const auto found = entries_.find(session);
  return found == entries_.end() ? nullptr : found->second.photo;
}

void PhotoDesk::drop(const std::string& session) {
  const std::lock_guard lock(mutex_);
  entries_.erase(session);
}

size_t PhotoDesk::size(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  return entries_.size();
}

}  // namespace visage::sidecar
