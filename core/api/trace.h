// The backtraces of blocks (core/heap/traces.h): written when an entry point returns
// one, and read by whoever looks the instance over.
#ifndef ALCOVE_CORE_API_TRACE_H_
#define ALCOVE_CORE_API_TRACE_H_

#include "core/api/state.h"

namespace ALCOVE_CORE_NAMESPACE {

void WriteTrace(void* block, const platform::Frame* frame);

// In an entry point, for the block that it is about to return, or null; returns it.
ALCOVE_INLINE void* Traced(void* block) {
  if constexpr (Config::kBacktraceFrames != 0) {
    if (ALCOVE_LIKELY(block != nullptr)) {
      // Of the function that this is inlined in.
      WriteTrace(block, static_cast<const platform::Frame*>(
                            __builtin_frame_address(0)));
    }
  }
  return block;
}

// Calls visit(block, size, frames, how many, context) for each live block of the
// instance and its arenas; returns how many there are. Nobody is in a call.
using TraceVisitor = void (*)(void* block, size_t size, void* const* frames,
                              size_t count, void* context);
size_t VisitAll(TraceVisitor visit, void* context);

// With the knob `leak_report`: a line for each live block, and one with their sum.
void ReportLeaks();

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_TRACE_H_
