// A heap whose instance is replaced at run time: README.md.
#ifndef ALCOVE_HANDOVER_HANDOVER_H_
#define ALCOVE_HANDOVER_HANDOVER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "handover/functions.h"
#include "handover/slots.h"

namespace alcove {

// A subsystem's heap: one instance that allocations go to, the current one, and
// up to kDrainingMax older ones that are draining, whose blocks are still freed,
// measured and resized. All functions may be called by any thread at any time,
// unless they say otherwise, but not from a signal handler.
//
// An object with static storage duration is ready before any code runs, and has
// no destructor: it may be used at exit. One that is to end calls Close().
class Handover {
 public:
  static constexpr size_t kDrainingMax = handover_internal::kPlaces - 1;

  enum class Status {
    kOk,
    kBadFunctions,  // a function is null, or the table is of no known size
    kIsCurrent,     // the instance is the current one already
    kIsTaken,       // another handover of this process has it
    kFull,          // kDrainingMax are draining: have one finish first
    kNoRoom,        // too many handovers, or libc has no pthread key or memory
  };

  // What holds an instance that is draining.
  enum class Hold {
    kNothing,    // it is shut down; its code may be unloaded
    kBlocks,     // blocks or arenas that live in it
    kThreads,    // caches of threads that have not called since, see Leave()
    kElsewhere,  // caches of threads that use it other than through this handover
    kCalls,      // a thread that has not come back from an operation
  };

  struct Report {
    // As given to Replace. Not to be called any more with Hold::kNothing.
    InstanceFunctions functions;
    Hold hold;
    size_t blocks;  // that live: exact, if no thread is freeing just then
    size_t arenas;
    size_t threads;  // that may hold a cache of it, by this handover, but for
                     // the caller
  };

  // On each instance that was draining.
  struct Reports {
    size_t size = 0;
    Report items[kDrainingMax + 1];
    const Report* begin() const { return items; }
    const Report* end() const { return items + size; }
  };

  constexpr Handover() = default;
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  // ---- Operations ------------------------------------------------------------
  // As the functions of the same purpose of the current instance. Without any,
  // allocation gives null. A block that no instance here owns is given to the
  // current one, which stops the process with a line that says so.

  void* Allocate(size_t size);
  void* AllocateZeroed(size_t count, size_t size);
  void* AllocateAligned(size_t alignment, size_t size);
  void Free(void* block);
  // realloc; a block of an older instance moves to the current one. If that has
  // no memory, a block that is large enough stays where it is.
  void* Resize(void* block, size_t size);
  size_t UsableSize(const void* block);
  bool Owns(const void* address);

  // ---- Handing over ----------------------------------------------------------

  // Allocations that begin after it returned go to `next`; what was current is
  // draining. An instance that is draining may be the next one: it goes on with
  // the blocks that it has. One that is finished may come again, too.
  Status Replace(const InstanceFunctions& next);

  // As Replace, by nothing: allocations give null until the next Replace. One
  // more than kDrainingMax may be draining then.
  void Retire();

  // Shuts down each draining instance that nobody holds any more, and says what
  // holds the others. To be called again, every now and then; never waits, but
  // some milliseconds at most for operations of other threads to end. Threads
  // that hold an empty instance by no more than a cache are asked to let go of it
  // in their next operation.
  //
  // No operation is inside an instance with Hold::kNothing, nor will one be: its
  // mappings are gone, and what it was loaded from may be closed.
  Reports TryFinish();

  // How many are draining.
  size_t Draining() const;

  // For a thread that is not going to call for a while: lets go of all that it
  // caches. It may come back at any time. A thread that ends does it by itself.
  void Leave();

  // Lets go of all instances, as they are; the object is as new. No other thread
  // may be using it.
  void Close();

 private:
  class Visit;

  // One instance. It is written only while no state that a thread may still go
  // by has its place.
  struct alignas(128) Place {
    InstanceFunctions functions = {};
    // How often a thread came to hold it.
    std::atomic<uint64_t> entries{0};
    bool used = false;  // guarded by the control lock
  };

  // What TryFinish knows of one that is draining. Guarded by the control lock.
  struct Drain {
    uint64_t since = 0;          // which change of the state
    uint64_t asked_entries = 0;  // when threads were last asked to let go
    bool settled = false;        // no allocation can be inside any more
  };

  // A state, so that one load tells all: the place of the current instance in
  // bits 0 to 3, those that are draining from bit 4 on, and above them how often
  // it changed.
  static constexpr unsigned kPlaces = handover_internal::kPlaces;
  static constexpr unsigned kNone = 15;
  static constexpr unsigned kChangeShift = 16;
  static constexpr uint64_t kDrainingMask = ((1u << kPlaces) - 1) << 4;
  static unsigned CurrentOf(uint64_t state) { return state & 15; }
  static unsigned DrainingOf(uint64_t state) {
    return (state & kDrainingMask) >> 4;
  }

  void* AllocateSlowly(size_t size);
  void FreeSlowly(void* block);
  void FreeOld(void* block, handover_internal::Slot* slot, uint64_t state);
  unsigned FindOld(const void* block, uint64_t state) const;
  const InstanceFunctions& Use(unsigned place, handover_internal::Slot* slot);
  void LetGo(handover_internal::Slot* slot, unsigned places);
  static void LeaveAs(Handover* handover, handover_internal::Slot* slot);

  // Under the control lock.
  bool TakeNumber();
  unsigned PlaceOf(const InstanceFunctions& functions) const;
  unsigned FreePlace() const;
  void StartDraining(unsigned place, uint64_t since);
  uint64_t Publish(unsigned current, unsigned draining);
  bool HaveAllSeen(uint64_t change) const;
  unsigned ThreadsHolding(unsigned place) const;
  static bool IsEmpty(const Place& place, Report* report);
  Hold Finish(unsigned number, Report* report);

  std::atomic<uint64_t> state_{kNone};
  // This handover's number; 0 before the first Replace.
  std::atomic<uint32_t> number_{0};
  // The places that threads are asked to let go of.
  std::atomic<uint32_t> asked_{0};
  Place places_[kPlaces];
  Drain drains_[kPlaces];
};

// The thread has nothing else to do before: the state is the one that it knows.
inline void* Handover::Allocate(size_t size) {
  handover_internal::Slot* const slot = handover_internal::t_slot;
  const uint32_t depth = handover_internal::Mark(slot);
  const uint64_t state = state_.load(handover_internal::kRead);
  const uint32_t number = number_.load(std::memory_order_relaxed);
  if (slot->ready[number].load(std::memory_order_relaxed) == state) [[likely]] {
    void* const block = places_[CurrentOf(state)].functions.malloc(size);
    handover_internal::Unmark(slot, depth);
    return block;
  }
  handover_internal::Unmark(slot, depth);
  return AllocateSlowly(size);
}

inline void Handover::Free(void* block) {
  handover_internal::Slot* const slot = handover_internal::t_slot;
  const uint32_t depth = handover_internal::Mark(slot);
  const uint64_t state = state_.load(handover_internal::kRead);
  const uint32_t number = number_.load(std::memory_order_relaxed);
  if (slot->ready[number].load(std::memory_order_relaxed) == state) [[likely]] {
    const InstanceFunctions& current = places_[CurrentOf(state)].functions;
    // Else there is nobody whose it could be.
    if ((state & kDrainingMask) == 0 || current.owns(block) != 0) [[likely]] {
      current.free(block);
    } else {
      FreeOld(block, slot, state);
    }
    handover_internal::Unmark(slot, depth);
    return;
  }
  handover_internal::Unmark(slot, depth);
  FreeSlowly(block);
}

}  // namespace alcove

#endif  // ALCOVE_HANDOVER_HANDOVER_H_
