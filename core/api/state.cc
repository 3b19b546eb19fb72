#include "core/api/state.h"

#include "core/api/background.h"
#include "core/api/oom.h"
#include "core/api/thread_exit.h"

namespace ALCOVE_CORE_NAMESPACE {

constinit Instance g_instance;
constinit Arenas g_arenas;
constinit Heap g_no_heap(&g_no_heap);
// The fast paths write to a heap only where a bin is neither empty nor full.
ALCOVE_IF_THREAD_LOCAL(constinit thread_local Heap* tls_heap = &g_no_heap;)

namespace {

// The thread's heap on this call's level. Where it has none on any, the heap gets
// the table of levels; if a handler was faster, that one's has it already.
[[maybe_unused]] void SetHeapOfLevel(Heap* heap) {
  if constexpr (Config::kAsyncSignalSafe) {
    const unsigned calls = CallsUnderWay();
    const unsigned level = calls - 1;
    auto* const word = reinterpret_cast<Atomic<Heap*>*>(&tls_heap);
    Heap* before = word->Load(Order::kRelaxed);
    for (;;) {
      Heap* const table = TableIn(before);
      if (table != &g_no_heap) {
        table->levels[level] = heap;
        return;
      }
      heap->levels.Fill(&g_no_heap);
      heap->levels[level] = heap;
      if (word->CompareExchange(
              before, reinterpret_cast<Heap*>(AddressOf(heap) + calls),
              Order::kRelaxed)) {
        return;
      }
    }
  }
}

// False if the thread cannot remember it.
bool SetThreadHeap(Heap* heap) {
  if constexpr (Config::kTls == Tls::pthread_key) {
    return thread_exit::SetHeap(heap == &g_no_heap ? nullptr : heap);
  } else if constexpr (Config::kAsyncSignalSafe) {
    SetHeapOfLevel(heap);
    return true;
  } else {
    tls_heap = heap;
    return true;
  }
}

}  // namespace

ALCOVE_COLD static void SettleProcess() {
  // The thread that forked is the one that has a heap of its parent's. (That it is
  // a process's first thread would not do: so is a child of vfork.)
  if (!HasHeaps() || !g_instance.registry.IsAncestors(*KeeperHeap())) return;
  if constexpr (Config::kAsyncSignalSafe) {
    Heap* const table = TableIn(tls_heap);
    for (unsigned i = 0; table != &g_no_heap && i < kHeapLevels; ++i) {
      if (table->levels[i] != &g_no_heap)
        g_instance.registry.Renew(table->levels[i]);
    }
  } else {
    g_instance.registry.Renew(ThreadHeap());
  }
  g_instance.registry.Settle();
}

void MeetFork() {
  if constexpr (Config::kSystemMemory) {
    if (ALCOVE_UNLIKELY(!g_instance.registry.settled())) SettleProcess();
  }
}

Heap* CurrentHeap() {
  MeetFork();
  Heap* const heap = ThreadHeap();
  if (ALCOVE_LIKELY(heap != &g_no_heap)) {
    background::Tend();
    return heap;
  }
  bool adopted;
  Heap* const acquired = g_instance.registry.Acquire(&g_instance, &adopted);
  if (acquired == nullptr) return nullptr;
  if (adopted) {
    g_arenas.Adopt(acquired);
    // The former thread's.
    ThreadOom& oom = ThreadRoom::Of(acquired)->oom;
    oom.handler.Store(nullptr, Order::kRelaxed);
    oom.asking.Store(0, Order::kRelaxed);
    acquired->pins = 0;
  }
  if (ALCOVE_UNLIKELY(!SetThreadHeap(acquired))) {
    g_instance.registry.HandBack(acquired);
    return nullptr;
  }
  thread_exit::Arm(acquired);
  // Only now: it may allocate, from this instance, too.
  background::Begin();
  return acquired;
}

ALCOVE_COLD void ForgetHeaps(void (*give)(Heap* heap)) {
  if constexpr (Config::kAsyncSignalSafe) {
    // At once: a handler that runs from here on finds none.
    Heap* const table =
        TableIn(reinterpret_cast<Atomic<Heap*>*>(&tls_heap)->Exchange(
            reinterpret_cast<Heap*>(AddressOf(&g_no_heap) + CallsUnderWay()),
            Order::kRelaxed));
    // Whose table it is may be another's as soon as it is given.
    auto levels = table->levels;
    for (unsigned i = 0; i < kHeapLevels; ++i) {
      if (levels[i] != &g_no_heap) give(levels[i]);
    }
  } else {
    Heap* const heap = ThreadHeap();
    SetThreadHeap(&g_no_heap);
    if (heap != &g_no_heap) give(heap);
  }
}

ALCOVE_COLD void GiveBack(Heap* heap) {
  // Where a handler that interrupted a call ended the thread, or never came back.
  if (ALCOVE_UNLIKELY(heap->interrupted())) heap->Repair();
  if (ALCOVE_UNLIKELY(heap->above_interrupted())) g_arenas.Abandon(heap);
  g_arenas.Trim(heap);
  g_instance.registry.HandBack(heap);
}

ALCOVE_COLD void Call::StopTooDeep() {
  TextLine line;
  line.Text("more than ").Decimal(kHeapLevels);
  line.Text(
          " calls at once on one thread, each in a handler that interrupted "
          "the one before, or was left by longjmp")
      .Stop();
}

}  // namespace ALCOVE_CORE_NAMESPACE
