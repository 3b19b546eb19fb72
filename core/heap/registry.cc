#include "core/heap/registry.h"

#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// How many threads a new one asks the kernel about. With more heaps than that,
// some dead ones wait for a later thread, but never more than about one for
// every kProbesMax living.
constexpr unsigned kProbesMax = 64;

// A heap and its slots.
constexpr size_t kBytes = sizeof(Heap) + SlotPool::SlotsMax() * sizeof(void*);

// Takes a heap whose tenancy was `before`; false if somebody else did since.
bool Take(Heap* heap, uint64_t before, platform::ThreadId self,
          platform::ProcessId process) {
  const uint64_t taken = ((before >> 32) + 1) << 32 | self;
  if (!heap->tenancy.CompareExchange(before, taken, Order::kAcquire)) {
    return false;
  }
  heap->process.Store(process, Order::kRelaxed);
  heap->ending.Store(0, Order::kRelaxed);
  return true;
}

// Whether the heap was taken before this process was forked. Its thread's id is
// one of the parent's then, and what the kernel says about it means nothing
// here: the thread that forked goes on with its heap under another id.
bool IsInherited(const Heap* heap, platform::ProcessId process) {
  return heap->process.Load(Order::kRelaxed) != process;
}

// The mapping of a heap that has one of its own.
void Unmap(Heap* heap) {
  char* const memory =
      reinterpret_cast<char*>(heap) - AddressOf(heap) % platform::PageSize();
  platform::Unmap(memory, Registry::HeapBytes());
}

void Leave(Heap* heap) {
  heap->tenancy.FetchAnd(~uint64_t{0} << 32, Order::kRelease);
}

}  // namespace

size_t Registry::HeapBytes() {
  return RoundUp(kColoursMax * kCacheLine + kBytes, platform::PageSize());
}

ALCOVE_COLD Heap* Registry::Adopt(platform::ThreadId self) {
  const platform::ProcessId process = platform::CurrentProcess();
  unsigned probes = 0;
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    const uint64_t tenancy = heap->tenancy.Load(Order::kRelaxed);
    const auto thread = static_cast<platform::ThreadId>(tenancy);
    if (thread != 0) {
      if (IsInherited(heap, process)) continue;
      // It may be this thread's own, of another level.
      if (Config::kAsyncSignalSafe && thread == self) continue;
      if (thread != self) {
        if (probes == kProbesMax) continue;
        ++probes;
        if (platform::ThreadMayBeAlive(thread)) continue;
      }
    }
    if (Take(heap, tenancy, self, process)) return heap;
  }
  return nullptr;
}

ALCOVE_COLD Heap* Registry::Create(Instance* instance,
                                   platform::ThreadId self) {
  if (count_.Load(Order::kRelaxed) >= kHeapNumberMax) return nullptr;
  // All zero, as the mapping is, is how a heap begins; to write that would cost
  // the memory of all of its pages.
  auto* heap = static_cast<Heap*>(instance->region.TakeRoom(kBytes));
  const bool mapped = heap == nullptr;
  if (mapped) {
    char* const memory = static_cast<char*>(platform::Map(HeapBytes()));
    if (memory == nullptr) return nullptr;
    heap = reinterpret_cast<Heap*>(memory + ColourOf(AddressOf(memory)));
  }
  const uint32_t number = count_.FetchAdd(1, Order::kRelaxed) + 1;
  if (ALCOVE_UNLIKELY(number > kHeapNumberMax)) {
    // Others were faster; there are so many heaps that the room is not ours.
    count_.FetchSub(1, Order::kRelaxed);
    Unmap(heap);
    return nullptr;
  }
  heap->mapped = mapped;
  heap->Init(instance, static_cast<HeapNumber>(number),
             reinterpret_cast<void**>(heap + 1));
  heap->tenancy.Store(self, Order::kRelaxed);
  heap->process.Store(platform::CurrentProcess(), Order::kRelaxed);
  Heap* head = heaps_.Load(Order::kRelaxed);
  do {
    heap->next_heap = head;
  } while (!heaps_.CompareExchange(head, heap, Order::kAcqRel));
  return heap;
}

ALCOVE_COLD Heap* Registry::Acquire(Instance* instance) {
  const platform::ThreadId self = platform::CurrentThread();
  Heap* heap = Adopt(self);
  if (heap == nullptr) heap = Create(instance, self);
  if (heap != nullptr) heap->RefreshView();
  if (heap != nullptr && ALCOVE_UNLIKELY(heap->interrupted())) heap->Repair();
  return heap;
}

ALCOVE_COLD void Registry::HandBack(Heap* heap) {
  heap->Drain();
  Heap* const suspect = heap->TakeSuspect();
  Leave(heap);
  if (suspect != nullptr) CleanUpIfDead(suspect);
}

namespace {

// Takes a heap that is nobody's or whose thread is gone. *died: the latter.
bool TakeDead(Heap* heap, bool* died) {
  const platform::ThreadId self = platform::CurrentThread();
  const platform::ProcessId process = platform::CurrentProcess();
  const uint64_t tenancy = heap->tenancy.Load(Order::kRelaxed);
  const auto thread = static_cast<platform::ThreadId>(tenancy);
  if (thread != 0) {
    if (thread == self || IsInherited(heap, process)) return false;
    if (platform::ThreadMayBeAlive(thread)) return false;
  }
  *died = thread != 0;
  return Take(heap, tenancy, self, process);
}

}  // namespace

ALCOVE_COLD void Registry::CleanUpIfDead(Heap* heap) {
  bool died;
  if (!TakeDead(heap, &died)) return;
  heap->CleanUp(died);
  Leave(heap);
}

ALCOVE_COLD bool Registry::TakeIfDead(Heap* heap) {
  bool died;
  if (!TakeDead(heap, &died)) return false;
  // It is nobody's from now on, so that it has to be as such a heap is.
  if (died) heap->CleanUp(true);
  return true;
}

ALCOVE_COLD void Registry::LeaveTaken(Heap* heap) { Leave(heap); }

ALCOVE_COLD void Registry::CleanUpDead() {
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    CleanUpIfDead(heap);
  }
}

ALCOVE_COLD void Registry::CleanUpNamesakes() {
  if constexpr (Config::kBackgroundPurge) {
    const platform::ThreadId self = platform::CurrentThread();
    const platform::ProcessId process = platform::CurrentProcess();
    for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
      const uint64_t tenancy = heap->tenancy.Load(Order::kRelaxed);
      if (static_cast<platform::ThreadId>(tenancy) != self) continue;
      if (IsInherited(heap, process)) continue;
      if (!Take(heap, tenancy, self, process)) continue;
      heap->CleanUp(true);
      Leave(heap);
    }
  }
}

ALCOVE_COLD bool Registry::SomebodyEnds(uint64_t what) const {
  const platform::ThreadId self = platform::CurrentThread();
  const platform::ProcessId process = platform::CurrentProcess();
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    if (heap->ending.Load(Order::kAcquire) != what) continue;
    const platform::ThreadId thread = heap->thread();
    if (thread != 0 && thread != self && !IsInherited(heap, process) &&
        platform::ThreadMayBeAlive(thread)) {
      return true;
    }
  }
  return false;
}

ALCOVE_COLD bool Registry::OthersLive(const Heap* own) const {
  const platform::ThreadId self = platform::CurrentThread();
  const platform::ProcessId process = platform::CurrentProcess();
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    const platform::ThreadId thread = heap->thread();
    if (heap == own || thread == 0) continue;
    if (IsInherited(heap, process)) {
      // Or that process goes on in this memory: then it may use the heap.
      if (platform::SharesMemory(heap->process.Load(Order::kRelaxed)))
        return true;
      // Of those threads only the one that forked is here. A process's first
      // thread is it, and so is whose heap is inherited.
      if (self == process || (own != nullptr && IsInherited(own, process)))
        continue;
      return true;
    }
    if (thread != self && platform::ThreadMayBeAlive(thread)) return true;
  }
  return false;
}

ALCOVE_COLD void Registry::Release() {
  Heap* heap = heaps_.Exchange(nullptr, Order::kAcqRel);
  while (heap != nullptr) {
    Heap* const next = heap->next_heap;
    if (heap->mapped) Unmap(heap);
    heap = next;
  }
  count_.Store(0, Order::kRelaxed);
}

}  // namespace ALCOVE_CORE_NAMESPACE
