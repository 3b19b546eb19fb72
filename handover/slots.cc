#include "handover/slots.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <new>

namespace alcove::handover_internal {

namespace {

// Slots are mapped by the chunk and never unmapped: there are as many as there
// were threads at a time.
constexpr size_t kChunkBytes = 16384;

constinit Slot* g_slots = nullptr;
constinit bool g_started = false;
constinit bool g_has_membarrier = false;
pthread_key_t g_key;
void (*g_leave)(Handover*, Slot*);
constinit Slot g_nobodys;

int Membarrier(int command) {
  return static_cast<int>(syscall(SYS_membarrier, command, 0, 0));
}

bool RegisterMembarrier() {
  return Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

uint64_t Self() {
  return static_cast<uint64_t>(getpid()) << 32 |
         static_cast<uint32_t>(syscall(SYS_gettid));
}

void Free(Slot* slot) {
  for (auto& state : slot->ready) {
    state.store(kNoState, std::memory_order_relaxed);
  }
  for (auto& mask : slot->holds) mask.store(0, std::memory_order_relaxed);
  slot->depth.store(0, std::memory_order_relaxed);
  slot->owner.store(0, std::memory_order_release);
}

// The end of a thread. Destructors of other keys may still use a handover: then
// this one is called again.
void EndOfThread(void* memory) {
  auto* const slot = static_cast<Slot*>(memory);
  const std::lock_guard lock(g_control);
  for (unsigned number = 1; number <= kHandoversMax; ++number) {
    if (slot->holds[number].load(std::memory_order_relaxed) != 0) {
      g_leave(g_handovers[number], slot);
    }
  }
  t_slot = &g_nobodys;
  Free(slot);
}

void BeforeFork() { g_control.lock(); }
void AfterForkInParent() { g_control.unlock(); }
// Only the thread that forked is here, under another id.
void AfterForkInChild() {
  for (Slot* slot = g_slots; slot != nullptr; slot = slot->next) {
    if (slot == t_slot) {
      slot->owner.store(Self(), std::memory_order_relaxed);
    } else {
      Free(slot);
    }
  }
  g_control.unlock();
}

// A slot that is the caller's from now on. Under g_control.
Slot* Take() {
  for (Slot* slot = g_slots; slot != nullptr; slot = slot->next) {
    if (slot->owner.load(std::memory_order_acquire) != 0) continue;
    slot->owner.store(Self(), std::memory_order_relaxed);
    return slot;
  }
  void* const chunk = mmap(nullptr, kChunkBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (chunk == MAP_FAILED) return nullptr;
  for (size_t i = 0; i < kChunkBytes / sizeof(Slot); ++i) {
    Slot* const slot = new (static_cast<Slot*>(chunk) + i) Slot;
    slot->next = g_slots;
    g_slots = slot;
  }
  g_slots->owner.store(Self(), std::memory_order_relaxed);
  return g_slots;
}

}  // namespace

constinit thread_local Slot* t_slot = &g_nobodys;
constinit std::mutex g_control;
constinit Handover* g_handovers[kHandoversMax + 1] = {};

bool Start(void (*leave)(Handover*, Slot*)) {
  // A lock of its own, since libc may allocate here, from a handover maybe.
  static constinit std::mutex starting;
  const std::lock_guard lock(starting);
  if (g_started) return true;
  if (pthread_key_create(&g_key, EndOfThread) != 0) return false;
  if (pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild) != 0) {
    pthread_key_delete(g_key);
    return false;
  }
  g_leave = leave;
  g_has_membarrier = RegisterMembarrier();
  g_started = true;
  return true;
}

bool BarrierReachesAll() { return g_has_membarrier; }

bool Barrier() {
  Fence();
  if (!g_has_membarrier) return true;
  if (Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return true;
  return errno == EPERM && RegisterMembarrier() &&
         Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
}

Slot* OwnSlot() {
  if (t_slot != &g_nobodys) return t_slot;
  Slot* slot;
  {
    const std::lock_guard lock(g_control);
    slot = Take();
  }
  if (slot == nullptr) return nullptr;
  // Before libc allocates, from a handover maybe.
  t_slot = slot;
  if (pthread_setspecific(g_key, slot) == 0) return slot;
  // Nobody would notice that the thread ends.
  t_slot = &g_nobodys;
  EndOfThread(slot);
  return nullptr;
}

Slot* FirstSlot() { return g_slots; }

void ReapDead() {
  const uint64_t self = Self();
  for (Slot* slot = g_slots; slot != nullptr; slot = slot->next) {
    const uint64_t owner = slot->owner.load(std::memory_order_relaxed);
    // Of another process: one that was forked without libc knows too little.
    if (owner == 0 || owner >> 32 != self >> 32) continue;
    if (syscall(SYS_tgkill, self >> 32, owner & 0xffffffff, 0) != 0 &&
        errno == ESRCH) {
      Free(slot);
    }
  }
}

}  // namespace alcove::handover_internal
