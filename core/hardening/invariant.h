// What the core relies on, written down where it does and checked where the
// knob `check_invariants` says so; compiled to nothing elsewhere.
#ifndef ALCOVE_CORE_HARDENING_INVARIANT_H_
#define ALCOVE_CORE_HARDENING_INVARIANT_H_

#include "core/base/bits.h"
#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

// "alcove[<prefix>]: internal error: <condition> does not hold at
// <file>:<line>", and stop.
[[noreturn]] ALCOVE_COLD void InvariantBroken(const char* condition,
                                              const char* file, int line);

#define ALCOVE_INVARIANT(condition)                           \
  do {                                                        \
    if constexpr (Config::kCheckInvariants) {                 \
      if (ALCOVE_UNLIKELY(!(condition))) {                    \
        InvariantBroken(#condition, __FILE_NAME__, __LINE__); \
      }                                                       \
    }                                                         \
  } while (false)

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HARDENING_INVARIANT_H_
