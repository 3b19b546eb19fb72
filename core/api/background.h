// The thread that purges in the background, where the knob `background_purge`
// asks for one. With the knob off all of this is nothing.
#ifndef ALCOVE_CORE_API_BACKGROUND_H_
#define ALCOVE_CORE_API_BACKGROUND_H_

#include "core/api/state.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace background {

// libc's types and numbers on Linux, with glibc and with musl; compared with
// its headers by a test.
using ThreadHandle = unsigned long;
struct ThreadAttributes {
  alignas(8) char bytes[64];
};
struct SignalSet {
  alignas(8) char bytes[128];
};
inline constexpr int kSetSignalMask = 2;

// Starts the thread, unless this process has one. The calling thread has a
// heap, and is not in the middle of using it: libc may allocate.
void Start();

// Ends the thread, if this process has one, and waits until it is gone. No
// thread but the caller has a heap.
void Stop();

inline void Begin() {
  if constexpr (Config::kBackgroundPurge) Start();
}

inline void End() {
  if constexpr (Config::kBackgroundPurge) Stop();
}

// Starts it where it was found missing: in a child of fork, or because libc
// refused before.
inline void Tend() {
  if constexpr (Config::kBackgroundPurge) {
    if (ALCOVE_UNLIKELY(g_instance.region.purger().wanted())) Start();
  }
}

// Does so at the end of a function that frees.
class Tending {
 public:
  Tending() = default;
  ~Tending() { Tend(); }
  Tending(const Tending&) = delete;
  Tending& operator=(const Tending&) = delete;
};

}  // namespace background
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_BACKGROUND_H_
