// What a call does that found no memory, before it fails: it asks the program's
// handlers, the thread's and then the instance's, whether to try again.
//
// They are asked only here, at the end of a slow path, when the call holds
// nothing but its level (Call): so a handler may call the instance, leave by
// longjmp, or give back what the call would then find. Each try looks at
// everything anew.
#ifndef ALCOVE_CORE_API_OOM_H_
#define ALCOVE_CORE_API_OOM_H_

#include "core/api/failure.h"
#include "core/api/state.h"
#include "core/base/thread_places.h"

namespace ALCOVE_CORE_NAMESPACE {

// How often the handlers are asked in one call, as the public header promises.
inline constexpr unsigned kOomAsksMax = 100;

// The public oom_handler; only oom.cc knows what is in it.
using OomHandler = const void*;

// What a thread keeps, in the room in its heap (KeeperHeap).
struct ThreadOom {
  Atomic<OomHandler> handler;
  Atomic<uint32_t> asking;  // whether it is in a handler
};

// All that is in that room.
struct ThreadRoom {
  ThreadArenas arenas;  // first: inline headers know where it is
  ThreadOom oom;

  static ThreadRoom* Of(Heap* heap) {
    return static_cast<ThreadRoom*>(heap->above());
  }
};
static_assert(sizeof(ThreadRoom) <= Heap::kRoomAbove);

// What there is for all threads.
class OomState {
 public:
  constexpr OomState() = default;

  Atomic<OomHandler> handler;

  // The threads in a handler that had no heap when it was called: such a thread
  // has nothing else to keep that in.
  static constexpr unsigned kHomelessMax = 32;

  // A place for the calling thread; false if there is none left.
  bool Enter();
  // Whether it has one; and gives all up that it has.
  bool Has() const;
  void Leave();

  void Reset();

 private:
  ThreadPlaces<kHomelessMax> homeless_;
};

extern ALCOVE_HIDDEN OomState g_oom;

// Whether the calling thread is in a handler.
bool IsInOomHandler();

// For as long as it lives, the thread is in a handler, unless it was already
// or that cannot be remembered.
class InOomHandler {
 public:
  InOomHandler();
  ~InOomHandler();
  InOomHandler(const InOomHandler&) = delete;
  InOomHandler& operator=(const InOomHandler&) = delete;
  bool entered() const { return heap_ != nullptr || is_homeless_; }

 private:
  Heap* heap_ = nullptr;
  bool is_homeless_ = false;
};

// A call that found no memory.
class Shortage {
 public:
  // `arena`: whose quota or memory it is, 0 for the instance's.
  Shortage(ArenaHandle arena, size_t size, size_t alignment)
      : arena_(arena), size_(size), alignment_(alignment) {}

  // Whether it is to be tried again. The caller holds nothing but its Call.
  bool TryAgain() { return Ask(asked_++, false); }

  // Logs that the call fails.
  void LogFailure() const;

  // Asks for the time number `asked`, from 0; `can_throw`: all callers up to the
  // program's can be unwound.
  bool Ask(unsigned asked, bool can_throw) const;

 private:
  // What can never be is no shortage.
  bool IsPossible() const {
    return alignment_ <= kRequestMax && size_ <= kRequestMax - alignment_;
  }
  void Describe(TextLine* line) const;
  [[noreturn]] void StopTheProcess() const;
  bool IsRetry(int answer) const;

  const ArenaHandle arena_;
  const size_t size_;
  const size_t alignment_;
  unsigned asked_ = 0;
};

// What a call gives that found no memory: what a later attempt finds, or null,
// and errno.
template <typename Attempt>
ALCOVE_COLD void* TryAgainOrFail(Shortage shortage, Attempt attempt) {
  while (shortage.TryAgain()) {
    void* const result = attempt();
    if (result != nullptr) return result;
  }
  shortage.LogFailure();
  return Fail(kNoMemory);
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_OOM_H_
