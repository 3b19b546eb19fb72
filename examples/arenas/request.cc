#include "examples/arenas/request.h"

#include <chrono>
#include <new>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "examples/arenas/reply.h"
#include "examples/arenas/request_heap.h"

namespace arenas {

namespace {

using Clock = std::chrono::steady_clock;

uint64_t Nanoseconds(Clock::duration duration) {
  return std::chrono::nanoseconds(duration).count();
}

void CountCall(request_arena*, size_t, void* context) {
  ++static_cast<Outcome*>(context)->soft_quota_calls;
}

void Work(const Document& document, request::arena& arena, Outcome& outcome) {
  using ArenaReply = Reply<request::arena_allocator<char>>;
  try {
    // Nobody destroys it: that would free block after block of what goes as a
    // whole with the arena.
    const ArenaReply* reply = arena.make<ArenaReply>(
        document.text, arena.allocator<char>(), arena.resource());
    const bool right =
        reply->digest == document.digest &&
        absl::string_view(reply->canonical.data(), reply->canonical.size()) ==
            document.canonical;
    outcome.status = right ? Outcome::Status::kServed : Outcome::Status::kWrong;
    outcome.at_home =
        request_arena_of(reply) == arena.handle() &&
        request_arena_of(reply->canonical.data()) == arena.handle() &&
        request_arena_of(document.text.data()) == nullptr;
  } catch (const std::bad_alloc&) {
    outcome.status = Outcome::Status::kNoMemory;
  }
  outcome.bytes_held = arena.stats().bytes_held_peak;
}

}  // namespace

Outcome Serve(const Request& request, const Limits& limits) {
  Outcome outcome;
  const Document& document = *request.document;
  const std::string name = absl::StrCat(request.number, " ", document.name);
  const Clock::time_point begun = Clock::now();
  Clock::time_point created;
  Clock::time_point done;
  try {
    request::arena arena({
        .name = name.c_str(),
        .hard_quota = limits.hard_quota,
        .soft_quota = limits.soft_quota,
        .on_soft_quota = CountCall,
        .context = &outcome,
        .mode = static_cast<uint32_t>(limits.monotonic ? request_arena_monotonic
                                                       : request_arena_general),
    });
    created = Clock::now();
    Work(document, arena, outcome);
    done = Clock::now();
  } catch (const std::bad_alloc&) {  // not even an arena
    created = done = Clock::now();
  }
  const Clock::time_point ended = Clock::now();
  outcome.create_ns = Nanoseconds(created - begun);
  outcome.destroy_ns = Nanoseconds(ended - done);
  outcome.total_ns = Nanoseconds(ended - begun);
  return outcome;
}

}  // namespace arenas
