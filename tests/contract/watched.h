// An arena whose soft quota is watched.
#ifndef TESTS_CONTRACT_WATCHED_H_
#define TESTS_CONTRACT_WATCHED_H_

#include <atomic>
#include <cstddef>
#include <thread>

#include "tests/contract/arena.h"

namespace contract {

// An arena with a soft quota and what became of it.
struct Watched {
  explicit Watched(subject::ArenaOptions options, size_t soft,
                   void (*then)(Watched&) = nullptr)
      : soft(soft), then(then), arena(Prepare(options)) {}

  subject::ArenaOptions Prepare(subject::ArenaOptions options) {
    options.soft_quota = soft;
    options.context = this;
    options.on_soft_quota = [](subject::Arena* arena, size_t held,
                               void* context) {
      Watched& self = *static_cast<Watched*>(context);
      ++self.calls;
      self.called_for = arena;
      self.held = held;
      self.caller = std::this_thread::get_id();
      if (self.then != nullptr) self.then(self);
    };
    return options;
  }

  const size_t soft;
  void (*const then)(Watched&);
  std::atomic<int> calls = 0;
  std::atomic<subject::Arena*> called_for = nullptr;
  std::atomic<size_t> held = 0;
  std::thread::id caller;
  ScopedArena arena;
};

}  // namespace contract

#endif  // TESTS_CONTRACT_WATCHED_H_
