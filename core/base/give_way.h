// What one does who waits for another thread.
#ifndef ALCOVE_CORE_BASE_GIVE_WAY_H_
#define ALCOVE_CORE_BASE_GIVE_WAY_H_

#include "core/base/config.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

// Gives the rest of the time slice away; without system memory, where no system call
// is made, only tells the CPU.
inline void GiveWay() {
  if constexpr (Config::kSystemMemory) {
    platform::Yield();
  } else {
    platform::SpinHint();
  }
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_BASE_GIVE_WAY_H_
