// Where a thread says what it is doing: which handovers it is in the middle of
// using, and of which instances it may hold a cache. One slot for each thread,
// written by that thread alone but for what the control lock guards; the slots
// are kept for the next threads.
#ifndef ALCOVE_HANDOVER_SLOTS_H_
#define ALCOVE_HANDOVER_SLOTS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace alcove {

class Handover;

namespace handover_internal {

// Handovers of a process that live at a time, and the places for instances that
// each has.
inline constexpr unsigned kHandoversMax = 15;
inline constexpr unsigned kPlaces = 9;

// No state of a handover has this value.
inline constexpr uint64_t kNoState = 0;

struct alignas(64) Slot {
  // How deep the thread is in operations; more than 1 only where the memory
  // that an instance asks libc for comes from a handover itself.
  std::atomic<uint32_t> depth{0};
  // Whose it is, 0 for nobody's: the process's id, and the thread's.
  std::atomic<uint64_t> owner{0};
  // By number of the handover; number 0 is nobody's. `ready`: the state for
  // which the thread has nothing left to do before an operation. It proves, too,
  // that an operation began which knew that state, and all before it ended.
  std::atomic<uint64_t> ready[kHandoversMax + 1] = {};
  // A bit for each place whose instance may have a cache of this thread.
  std::atomic<uint16_t> holds[kHandoversMax + 1] = {};
  Slot* next = nullptr;
};

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer knows neither membarrier nor fences.
inline constexpr std::memory_order kMark = std::memory_order_seq_cst;
inline constexpr std::memory_order kRead = std::memory_order_seq_cst;
inline void Fence() {}
#else
inline constexpr std::memory_order kMark = std::memory_order_relaxed;
inline constexpr std::memory_order kRead = std::memory_order_acquire;
inline void Fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
#endif

// The calling thread's slot; at first one that all threads share, which is ready
// for nothing and which nobody looks at.
extern constinit thread_local Slot* t_slot
    __attribute__((tls_model("initial-exec")));

// Marks the thread as inside; returns what Unmark takes. What is read after it
// is the state of a handover: whoever changed that, and then called Barrier(),
// sees the mark or has had the change seen.
inline uint32_t Mark(Slot* slot) {
  const uint32_t depth = slot->depth.load(std::memory_order_relaxed);
  slot->depth.store(depth + 1, kMark);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return depth;
}
inline void Unmark(Slot* slot, uint32_t depth) {
  slot->depth.store(depth, std::memory_order_release);
}

// Guards all that is not done by an operation: who has which slot and number,
// Replace, TryFinish. Held over a fork.
extern constinit std::mutex g_control;

// The handovers by number. Guarded by g_control.
extern constinit Handover* g_handovers[kHandoversMax + 1];

// To be called before anything else here, without g_control. False if libc has
// no key or no memory for what it takes. `leave` has a handover let go of what the
// thread of a slot, the calling one, holds; it is called under g_control.
bool Start(void (*leave)(Handover* handover, Slot* slot));

// Whether Barrier() reaches all threads by itself; else each operation has to
// pass a Fence() after its Mark.
bool BarrierReachesAll();

// Orders all that the caller did before, against marks of other threads.
// False if the system went back on its word: nothing may be concluded then.
[[nodiscard]] bool Barrier();

// The calling thread's slot, its own; null if there is no memory for one. Not to
// be called under g_control.
Slot* OwnSlot();

// All slots, those of nobody included. Under g_control.
Slot* FirstSlot();

// Frees the slots of threads that are gone without having said so: the last
// destructors of a thread may come after ours. Under g_control.
void ReapDead();

}  // namespace handover_internal
}  // namespace alcove

#endif  // ALCOVE_HANDOVER_SLOTS_H_
