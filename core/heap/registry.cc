#include "core/heap/registry.h"

#include "core/base/log.h"
#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// How many threads a new one asks the kernel about. With more heaps than that,
// some dead ones wait for a later thread, but never more than about one for
// every kProbesMax living.
constexpr unsigned kProbesMax = 64;

// A heap and its slots.
constexpr size_t kBytes = sizeof(Heap) + SlotPool::SlotsMax() * sizeof(void*);

// The mapping of a heap that has one of its own.
void Unmap(Heap* heap) {
  char* const memory =
      reinterpret_cast<char*>(heap) - AddressOf(heap) % platform::PageSize();
  platform::Unmap(memory, Registry::HeapBytes());
}

}  // namespace

size_t Registry::HeapBytes() {
  return RoundUp(kColoursMax * kCacheLine + kBytes, platform::PageSize());
}

ALCOVE_COLD Heap* Registry::Adopt(platform::ThreadId self) {
  const Process process = generation_->Current();
  unsigned probes = 0;
  const auto may_be_alive = [&probes](platform::ThreadId thread) {
    if (probes == kProbesMax) return true;
    ++probes;
    return platform::ThreadMayBeAlive(thread);
  };
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    if (heap->tenancy.TakeOver(self, process, may_be_alive)) return heap;
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
  heap->tenancy.Begin(self, generation_->Current());
  Heap* head = heaps_.Load(Order::kRelaxed);
  do {
    heap->next_heap = head;
  } while (!heaps_.CompareExchange(head, heap, Order::kAcqRel));
  return heap;
}

ALCOVE_COLD Heap* Registry::Acquire(Instance* instance, bool* adopted) {
  const platform::ThreadId self = platform::CurrentThread();
  if (!generation_->watches() && self != platform::CurrentProcess())
    generation_->Watch();
  Heap* heap = Adopt(self);
  *adopted = heap != nullptr;
  if (heap == nullptr) heap = Create(instance, self);
  if (heap != nullptr) heap->RefreshView();
  if (heap != nullptr && ALCOVE_UNLIKELY(heap->interrupted())) heap->Repair();
  if (const Log<LogLevel::debug> log; log && heap != nullptr) {
    TextLine line;
    line.Text("heap ").Decimal(heap->number());
    line.Text(*adopted ? " taken over" : " made").Text(" by thread ");
    log.Write(line.Decimal(self));
  }
  return heap;
}

ALCOVE_COLD void Registry::HandBack(Heap* heap) {
  heap->Drain();
  Heap* const suspect = heap->TakeSuspect();
  heap->tenancy.Leave();
  if (suspect != nullptr) CleanUpIfDead(suspect);
}

namespace {

// Takes a heap that is nobody's or whose thread is gone. *died: the latter.
bool TakeDead(Heap* heap, Process process, bool* died) {
  return heap->tenancy.TakeIfDead(platform::CurrentThread(), process,
                                  platform::ThreadMayBeAlive, died);
}

}  // namespace

ALCOVE_COLD void Registry::CleanUpIfDead(Heap* heap) {
  bool died;
  if (!TakeDead(heap, generation_->Current(), &died)) return;
  heap->CleanUp(died);
  heap->tenancy.Leave();
}

ALCOVE_COLD bool Registry::TakeIfDead(Heap* heap) {
  bool died;
  if (!TakeDead(heap, generation_->Current(), &died)) return false;
  // It is nobody's from now on, so that it has to be as such a heap is.
  if (died) heap->CleanUp(true);
  return true;
}

ALCOVE_COLD void Registry::LeaveTaken(Heap* heap) { heap->tenancy.Leave(); }

ALCOVE_COLD void Registry::CleanUpDead() {
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    CleanUpIfDead(heap);
  }
}

ALCOVE_COLD void Registry::CleanUpNamesakes() {
  if constexpr (Config::kBackgroundPurge) {
    const platform::ThreadId self = platform::CurrentThread();
    const Process process = generation_->Current();
    for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
      if (!heap->tenancy.TakeFromNamesake(self, process)) continue;
      heap->CleanUp(true);
      heap->tenancy.Leave();
    }
  }
}

ALCOVE_COLD bool Registry::SomebodyEnds(uint64_t what) const {
  const platform::ThreadId self = platform::CurrentThread();
  const Process process = generation_->Current();
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    if (heap->tenancy.Ends(what, self, process, platform::ThreadMayBeAlive))
      return true;
  }
  return false;
}

ALCOVE_COLD bool Registry::OthersLive(const Heap* own) const {
  const platform::ThreadId self = platform::CurrentThread();
  const Process process = generation_->Current();
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    const platform::ThreadId thread = heap->thread();
    if (heap == own || thread == 0) continue;
    if (heap->tenancy.IsInherited(process)) {
      // Or that process goes on in this memory: then it may use the heap.
      if (platform::SharesMemory(IdOf(heap->tenancy.process()))) return true;
      // Of those threads only the one that forked is here. A process's first
      // thread is it, and so is whose heap is inherited.
      if (self == IdOf(process) ||
          (own != nullptr && own->tenancy.IsInherited(process)))
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
