// One request: an arena, the work in it, and the end of both.
#ifndef EXAMPLES_ARENAS_REQUEST_H_
#define EXAMPLES_ARENAS_REQUEST_H_

#include <cstddef>
#include <cstdint>

#include "examples/arenas/documents.h"

namespace arenas {

// What every request's arena is created with.
struct Limits {
  size_t hard_quota = 0;
  size_t soft_quota = 0;
  bool monotonic = false;
};

struct Request {
  uint64_t number = 0;
  const Document* document = nullptr;
};

struct Outcome {
  enum class Status { kServed, kWrong, kNoMemory };

  Status status = Status::kNoMemory;
  bool at_home = true;    // what was made lay in the request's own arena
  size_t bytes_held = 0;  // by the arena, at its peak
  int soft_quota_calls = 0;
  uint64_t create_ns = 0;   // the arena's creation
  uint64_t destroy_ns = 0;  // and its destruction, with all that is in it
  uint64_t total_ns = 0;    // the request with both
};

// By any thread.
Outcome Serve(const Request& request, const Limits& limits);

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_REQUEST_H_
