// Tells who waits for a session's next state when to look: one connection listens for all of them on the
// channel visage_session. What is heard is a hint and no state: the look is a question to the database.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "sidecar/db/connection.h"

namespace visage::sidecar::db {

// Thread-safe. Must outlive its watches.
class SessionNews {
 public:
  // Connects when somebody first watches, and again whenever the connection was lost.
  explicit SessionNews(std::string conninfo);
  ~SessionNews();
  SessionNews(const SessionNews&) = delete;
  SessionNews& operator=(const SessionNews&) = delete;

  class Watch {
   public:
    Watch(SessionNews& news, std::string session);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // True when there was something since the last time, or there may have been while nobody listened.
    bool wait(std::chrono::milliseconds patience);

   private:
    friend class SessionNews;
    SessionNews& news_;
    const std::string session_;
    bool told_ = false;
  };

 private:
  void run();
  // Until the connection is lost, or all is over. False when there was none.
  bool listen();
  void tell(const std::string& payload);
  void tell_all();

  const std::string conninfo_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::list<Watch*> watches_;
  bool over_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace visage::sidecar::db
