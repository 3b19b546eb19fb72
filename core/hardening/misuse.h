// The documented stop: every misuse that an instance notices, and the line that
// it ends the process with, so that nothing is ever corrupted in silence.
#ifndef ALCOVE_CORE_HARDENING_MISUSE_H_
#define ALCOVE_CORE_HARDENING_MISUSE_H_

#include "core/base/bits.h"
#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

enum class Misuse {
  kDoubleFree,          // the block was freed already
  kFreeInside,          // the address is in a block but is not its first byte
  kFreeNeverAllocated,  // a block starts there, but was never handed out
  kFreeNoBlock,         // the instance's memory, but no block
  kFreeForeign,         // not the instance's memory
  kUseAfterFree,        // a block that is not live was asked about or resized
  kUseInside,           // the same for an address inside a block
  kUseForeign,          // the same for memory that is not the instance's
  kRangeFreed,          // a part of a block was given back already
  kRangeBeyond,         // a range to be given back is not within one block
  kWritePastEnd,        // something behind a block's bytes was written to
  kWriteAfterFree,      // the memory of a free block was written to
  kWrongSize,           // a sized free with a size that cannot be the block's
  kWrongAlignment,  // a sized free with an alignment that cannot be the block's
};

// "alcove[<prefix>]: <what> <address>" and, for a block whose size is known
// (not 0), " (a block of <size> bytes)". Of memory that is not the instance's,
// ": it belongs to <owner>" where somebody knows (foreign_owner.h).
[[noreturn]] ALCOVE_COLD void Stop(Misuse misuse, const void* address,
                                   size_t block_size = 0);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HARDENING_MISUSE_H_
