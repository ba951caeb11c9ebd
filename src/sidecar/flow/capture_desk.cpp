#include "sidecar/flow/capture_desk.h"

namespace visage::sidecar {

void CaptureDesk::forget_before(Clock::time_point limit) {
  std::erase_if(captures_, [limit](const auto& entry) { return entry.second->began <= limit; });
}

void CaptureDesk::forget_old(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_before(now - kLongest);
}

std::shared_ptr<CaptureUnderWay> CaptureDesk::find(const std::string& session,
                                                   const liveness::PublicPoint& page, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_before(now - kLongest);
  const auto found = captures_.find(session);
  return found == captures_.end() || found->second->page != page ? nullptr : found->second;
}

bool CaptureDesk::has_room(const std::string& session, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_before(now - kLongest);
  return captures_.size() < kMost || captures_.contains(session);
}

std::shared_ptr<CaptureUnderWay> CaptureDesk::begin(const std::string& session,
                                                    const liveness::PublicPoint& page,
                                                    Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_before(now - kLongest);
  return captures_[session] = std::make_shared<CaptureUnderWay>(page, now);
}

void CaptureDesk::drop(const std::string& session) {
  const std::lock_guard lock(mutex_);
  captures_.erase(session);
}

void CaptureDesk::drop(const std::string& session, const CaptureUnderWay& which) {
  const std::lock_guard lock(mutex_);
  const auto found = captures_.find(session);
  if (found != captures_.end() && found->second.get() == &which) captures_.erase(found);
}

size_t CaptureDesk::size(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  forget_before(now - kLongest);
  return captures_.size();
}

}  // namespace visage::sidecar
