// What a slab looks like, for the log: a character for each block or, in a slab
// of more than 64, for as many side by side as make it at most 64:
//
//   #  one of them is out: live, or in a thread's cache
//   o  all are back, and one was out at some time
//   .  none was ever handed out
//
// What other threads freed counts as out until its owner has collected it.
#ifndef ALCOVE_CORE_SLAB_PICTURE_H_
#define ALCOVE_CORE_SLAB_PICTURE_H_

#include "core/base/log.h"
#include "core/slab/slab.h"

namespace ALCOVE_CORE_NAMESPACE {

struct SlabPicture {
  static constexpr unsigned kWidth = 64;
  explicit SlabPicture(const Slab& slab);
  char text[kWidth + 1];
};

// Logs "slab at 0x7f0012340000 used: 4 of 1024 blocks of 64 bytes out #....".
ALCOVE_COLD void WriteSlab(const Log<LogLevel::trace>& log, const char* what,
                           const Slab& slab);

ALCOVE_INLINE void LogSlab(const char* what, const Slab& slab) {
  if (const Log<LogLevel::trace> log; log) WriteSlab(log, what, slab);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_SLAB_PICTURE_H_
