// What the recorder writes and pack reads: one event after another in the order
// in which they took effect, until one whose kind is still zero.
#ifndef BENCH_TRACE_RAW_EVENT_H_
#define BENCH_TRACE_RAW_EVENT_H_

#include <cstdint>

namespace bench {

enum class RawKind : uint16_t {
  kNone = 0,
  kMalloc,
  kCalloc,
  kAligned,
  kFree,
  // realloc gives a block up before it has the new one: two events, so that
  // another thread may be seen to get the old address in between.
  kReallocBegin,
  kReallocEnd,
};

struct RawEvent {
  uint32_t thread;     // the kernel's number
  uint16_t alignment;  // its logarithm
  RawKind kind;        // written last
  uint64_t size;
  uint64_t address;
};
static_assert(sizeof(RawEvent) == 24);

}  // namespace bench

#endif  // BENCH_TRACE_RAW_EVENT_H_
