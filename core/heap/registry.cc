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

void* UnitOf(Heap* heap) {
  return reinterpret_cast<char*>(heap) - AddressOf(heap) % kUnit;
}

bool MayBeAlive(platform::ThreadId thread) {
  if constexpr (Config::kSystemMemory)
    return platform::ThreadMayBeAlive(thread);
  return true;
}

bool MayBeBeside(platform::ThreadId thread) {
  if constexpr (Config::kSystemMemory) return platform::SharesMemory(thread);
  return false;
}

// For a look at who else is there: without system memory no heap bears this id,
// and the caller's own is left out by its address, if at all.
platform::ThreadId Onlooker() {
  if constexpr (Config::kSystemMemory) return platform::CurrentThread();
  return 0;
}

}  // namespace

size_t Registry::HeapBytes() {
  return RoundUp(kColoursMax * kCacheLine + kBytes, platform::PageSize());
}

size_t Registry::RoomBytes() { return Config::kSystemMemory ? 0 : kBytes; }

ALCOVE_COLD platform::ThreadId Registry::Self() {
  if constexpr (Config::kSystemMemory) return platform::CurrentThread();
  uint32_t id;
  do {
    id = ids_.FetchAdd(1, Order::kRelaxed) + 1;
  } while (id == 0);
  return id;
}

ALCOVE_COLD Heap* Registry::Adopt(platform::ThreadId self) {
  const Process process = generation_->Current();
  unsigned probes = 0;
  const auto may_be_alive = [&probes](platform::ThreadId thread) {
    if (probes == kProbesMax) return true;
    ++probes;
    return MayBeAlive(thread);
  };
  const bool is_settled = settled();
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    if (heap->tenancy.TakeOver(self, process, may_be_alive, is_settled))
      return heap;
  }
  return nullptr;
}

ALCOVE_COLD Heap* Registry::Create(Instance* instance,
                                   platform::ThreadId self) {
  if (count_.Load(Order::kRelaxed) >= kHeapNumberMax) return nullptr;
  // All zero, as the mapping is, is how a heap begins; to write that would cost
  // the memory of all of its pages.
  auto* heap = static_cast<Heap*>(instance->region.TakeRoom(kBytes));
  const bool own_pages = heap == nullptr;
  if (own_pages) {
    char* const memory =
        static_cast<char*>(instance->region.TakePages(HeapBytes()));
    if (memory == nullptr) return nullptr;
    heap = reinterpret_cast<Heap*>(memory + ColourOf(AddressOf(memory)));
  }
  const uint32_t number = count_.FetchAdd(1, Order::kRelaxed) + 1;
  if (ALCOVE_UNLIKELY(number > kHeapNumberMax)) {
    // Others were faster. There are so many heaps that a room is not ours, or may
    // be lost.
    count_.FetchSub(1, Order::kRelaxed);
    if (Config::kSystemMemory) {
      Unmap(heap);
    } else if (own_pages) {
      instance->region.GivePages(UnitOf(heap), HeapBytes());
    }
    return nullptr;
  }
  heap->mapped = own_pages && Config::kSystemMemory;
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
  const platform::ThreadId self = Self();
  if (Config::kSystemMemory && !generation_->watches() &&
      (Config::kUsesRandom || self != platform::CurrentProcess()))
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

// Takes a heap that is nobody's or whose thread is gone. *died: the latter.
bool Registry::TakeDead(Heap* heap, Process process, bool* died) {
  return heap->tenancy.TakeIfDead(Self(), process, MayBeAlive, died, settled());
}

ALCOVE_COLD void Registry::Renew(Heap* heap) {
  const uint64_t before = Parts::NameOf(heap);
  heap->tenancy.Renew(platform::CurrentThread(), generation_->Current());
  // Or it would take what its parent takes.
  heap->Reseed();
  heap->instance()->parts.Rename(before, Parts::NameOf(heap));
}

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
  const platform::ThreadId self = Onlooker();
  const Process process = generation_->Current();
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    if (heap->tenancy.Ends(what, self, process, MayBeAlive, MayBeBeside))
      return true;
  }
  return false;
}

ALCOVE_COLD bool Registry::OthersLive(const Heap* own) const {
  const platform::ThreadId self = Onlooker();
  const Process process = generation_->Current();
  const bool is_settled = settled();
  for (Heap* heap = first(); heap != nullptr; heap = heap->next_heap) {
    const platform::ThreadId thread = heap->thread();
    if (heap == own || thread == 0) continue;
    if (heap->tenancy.IsInherited(process)) {
      if (is_settled && heap->tenancy.IsAncestors(process)) continue;
      // Or that process goes on in this memory: then it may use the heap.
      if (platform::SharesMemory(IdOf(heap->tenancy.process()))) return true;
      // Of those threads only the one that forked is here. A process's first
      // thread is it, and so is whose heap is inherited.
      if (self == IdOf(process) ||
          (own != nullptr && own->tenancy.IsInherited(process)))
        continue;
      return true;
    }
    if (thread != self && MayBeAlive(thread)) return true;
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
