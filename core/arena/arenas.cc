#include "core/arena/arenas.h"

#include "core/base/give_way.h"
#include "core/heap/large.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// A thread takes so many numbers at a time, so that arenas that come and go do
// not meet at one counter.
constexpr uint64_t kNumbersAtOnce = 64;

// A hint of more than a share of the first range is taken as that: it must not
// make the instance reserve more address space for good.
constexpr size_t kReserveMax = Max(Config::kRegionReserve / 4, kUnit);

// Whether a thread keeps units of an arena that ended, as they are.
constexpr bool kKeepsWarm =
    Config::kArenaQuarantine == 0 && !Config::kZeroOnFree;

// How often one waits for the ends of children before looking whether there is
// anybody who ends them.
constexpr unsigned kWaitsPerLook = 64;

// Runs of units that end together and lie side by side, so that they go back to
// the region as one.
class Runs {
 public:
  explicit Runs(Arenas* arenas) : arenas_(arenas) {}
  ~Runs() { Flush(); }
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;

  void Add(Range* range, size_t first, size_t units, bool dirty) {
    if (range == span_.range && first == span_.first + units_ &&
        dirty == dirty_) {
      units_ += units;
      return;
    }
    Flush();
    span_.range = range;
    span_.first = first;
    units_ = units;
    dirty_ = dirty;
  }

 private:
  void Flush() {
    if (units_ != 0) arenas_->Leave(span_, units_, dirty_);
    units_ = 0;
  }

  Arenas* arenas_;
  Span span_;
  size_t units_ = 0;
  bool dirty_ = false;
};

void Rename(Arena* arena, const char* name) {
  uint64_t words[kArenaNameWords] = {};
  char* const bytes = reinterpret_cast<char*>(words);
  for (size_t i = 0; i + 1 < kArenaNameBytes && name[i] != '\0'; ++i)
    bytes[i] = name[i];
  for (size_t i = 0; i < kArenaNameWords; ++i)
    arena->name[i].Store(words[i], Order::kRelaxed);
}

// What an arena holds is nobody's any more.
void UnchargeAll(Arena* arena) {
  const size_t held = arena->quota.held();
  for (Arena* above = arena->parent; above != nullptr; above = above->parent)
    above->quota.Uncharge(held);
  arena->quota.Forget();
}

// Where a thread says what it ends.
Atomic<uint64_t>* EndingOf(Heap* home) { return &home->tenancy.ending; }

void ClearWords(Atomic<BitWord>* words, size_t count) {
  for (size_t i = 0; i < count; ++i) words[i].Store(0, Order::kRelaxed);
}

// Makes the descriptor and bits of a slab as the next user expects them.
void WipeSlab(Slab* slab) {
  // A free that is late can have set bits beyond those that were handed out.
  for (unsigned w = 0; w < slab->used_words(); ++w) slab->local[w] = 0;
  ClearWords(slab->remote, slab->words());
  slab->listed = false;
  // Not `pending`: it may be in a stack, also in somebody else's.
  slab->owner.Store(nullptr, Order::kSeqCst);
}

void WipeRun(const Range* range, size_t first, Slab* run) {
  const auto* const owner =
      static_cast<const ArenaHeap*>(run->owner.Load(Order::kRelaxed));
  size_t bytes = RunBytes(run).Load(Order::kRelaxed);
  if (bytes == 0) bytes = static_cast<size_t>(owner->run_next() - run->start);
  RunBytes(run).Store(0, Order::kRelaxed);
  // And what a thread that was stopped in the middle wrote of one block more.
  for (size_t unit = 0; unit << kUnitShift <= bytes && unit < run->units;
       ++unit) {
    const size_t here = Min(bytes - (unit << kUnitShift), kUnit - 1);
    const size_t words = here / (64 * kRunGranule) + 1;
    const RunBits bits = BitsOfRun(range, first + unit);
    ClearWords(bits.begun, words);
    ClearWords(bits.freed, words);
  }
}

// Makes a slab's or a run's units as the next user expects them.
void Wipe(const Range* range, size_t first, Slab* slab) {
  if (slab->size_class == kRunMark) {
    WipeRun(range, first, slab);
    slab->owner.Store(nullptr, Order::kSeqCst);
  } else {
    WipeSlab(slab);
  }
}

}  // namespace

// ---- The table ----

size_t Arenas::TableBytes() {
  return RoundUp((size_t{kPlacesMax} + 1) * sizeof(Table) +
                     kGraves * sizeof(Grave) +
                     Config::kArenaQuarantine * sizeof(uint64_t),
                 Max(platform::PageSize(), 4096));
}

ALCOVE_COLD bool Arenas::MakeTable() {
  if (table_.Load(Order::kAcquire) != nullptr) return true;
  const size_t size = TableBytes();
  auto* const table = static_cast<Table*>(instance()->region.TakePages(size));
  if (table == nullptr) return false;
  Table* expected = nullptr;
  if (!table_.CompareExchange(expected, table, Order::kAcqRel))
    instance()->region.GivePages(table, size);  // another thread was faster
  return true;
}

ALCOVE_COLD Arena* Arenas::NewArena() {
  Arena* arena = unused_.Pop();
  if (arena != nullptr) return arena;
  if (!MakeTable()) return nullptr;
  if (places_.Load(Order::kRelaxed) >= kPlacesMax) return nullptr;
  auto* const memory = static_cast<Arena*>(store_.Take(sizeof(Arena)));
  if (memory == nullptr) return nullptr;
  const uint32_t place = places_.FetchAdd(1, Order::kRelaxed) + 1;
  if (place > kPlacesMax) {
    places_.FetchSub(1, Order::kRelaxed);
    return nullptr;
  }
  memory->place = static_cast<HeapNumber>(place);
  memory->arenas = this;
  table_.Load(Order::kAcquire)[place].Store(memory, Order::kRelease);
  return memory;
}

ALCOVE_COLD uint64_t Arenas::NewNumber(ThreadArenas* mine) {
  mine->next_number =
      next_number_.FetchAdd(kNumbersAtOnce, Order::kRelaxed) + 1;
  mine->numbers_end = mine->next_number + kNumbersAtOnce;
  return mine->next_number++;
}

Arena* Arenas::Resolve(ArenaHandle handle) const {
  Arena* const arena = Find(PlaceOfHandle(handle));
  if (ALCOVE_UNLIKELY(arena == nullptr ||
                      arena->handle.Load(Order::kRelaxed) != handle ||
                      handle == 0)) {
    StopGone(handle);
  }
  return arena;
}

size_t Arenas::Count() const {
  size_t count = 0;
  ForEach([&count](const Arena&) { ++count; });
  return count;
}

size_t Arenas::mapped() const {
  const Table* const table = table_.Load(Order::kAcquire);
  // Without system memory it is in spans, and counted there.
  if (!Config::kSystemMemory) return 0;
  return store_.mapped() + (table == nullptr ? 0 : TableBytes());
}

ALCOVE_COLD void Arenas::Release() {
  Table* const table = table_.Exchange(nullptr, Order::kAcqRel);
  if (table == nullptr) return;
  const size_t size = TableBytes();
  instance()->region.ForgetLent();
  instance()->region.GivePages(table, size);
  places_.Store(0, Order::kRelaxed);
  homeless_enders_.Reset();
  homeless_ending_.Store(0, Order::kRelaxed);
  unused_.Reset();
  spare_groups_.Reset();
  store_.Release();
}

// ---- Heaps ----

ArenaHeap* Arenas::NewHeap(Heap* home, ThreadArenas* mine) {
  if (mine->spare == nullptr)
    mine->spare = mine->returned.Exchange(nullptr, Order::kAcquire);
  ArenaHeap* heap = mine->spare;
  if (heap != nullptr) {
    mine->spare = heap->next.Load(Order::kRelaxed);
    // It may have come back while Abandon made it nobody's.
    heap->Attach(home);
    return heap;
  }
  heap = static_cast<ArenaHeap*>(store_.Take(sizeof(ArenaHeap)));
  if (heap != nullptr) heap->Attach(home);
  return heap;
}

// Leaves the units of a heap that was left behind to its thread's cache, and has
// it forget them.
void Arenas::TakeUp(ArenaHeap* heap, Heap* home) {
  const Region& region = instance()->region;
  heap->FinishRun();
  heap->ledger().ForEachSlot([&](Ledger::Slot* slot, LedgerEntry entry) {
    // Before it is this thread's: if that is stopped here, in a parent process
    // too, others may end the arena, with all that is written down then.
    slot->Store(0, Order::kRelaxed);
    KeepOrder();
    const Range* const range = region.RangeOf(entry.start());
    const size_t first = range->IndexOf(entry.start());
    Wipe(range, first, static_cast<Slab*>(range->descriptor(first)));
    home->KeepSpanOfSlab(entry.start(), 1);
  });
  heap->Retire(&spare_groups_);
}

ArenaHeap* Arenas::HeapFor(Heap* home, ArenaHandle handle) {
  ThreadArenas* const mine = ThreadArenas::Of(home);
  ArenaHeap*& slot = mine->SlotFor(handle);
  if (slot != nullptr && slot->handle() == handle) return slot;
  Arena* const arena = Resolve(handle);
  ArenaHeap* heap = slot;
  // One that was left behind is in the list of its arena.
  if (heap == nullptr || !heap->left() || heap->arena() != arena) {
    heap = arena->heaps.Load(Order::kAcquire);
    while (heap != nullptr && heap->home() != home)
      heap = heap->next.Load(Order::kRelaxed);
    if (heap != nullptr && !heap->left()) heap->SettleRun();
  }
  if (heap != nullptr && heap->left()) {
    TakeUp(heap, home);
    heap->Begin(arena, handle, arena->monotonic, arena->alignment);
  } else if (heap == nullptr) {
    heap = NewHeap(home, mine);
    if (heap == nullptr) return nullptr;
    heap->Begin(arena, handle, arena->monotonic, arena->alignment);
    ArenaHeap* head = arena->heaps.Load(Order::kRelaxed);
    do {
      heap->next.Store(head, Order::kRelaxed);
    } while (!arena->heaps.CompareExchange(head, heap, Order::kRelease));
  }
  slot = heap;
  return heap;
}

ALCOVE_COLD void Arenas::Adopt(Heap* home) {
  if (ALCOVE_UNLIKELY(home->above_interrupted())) return Abandon(home);
  // So that HeapFor has each heap settle first.
  for (ArenaHeap*& slot : ThreadArenas::Of(home)->slots) slot = nullptr;
}

ALCOVE_COLD void Arenas::Abandon(Heap* home) {
  const Table* const table = table_.Load(Order::kAcquire);
  const uint32_t places = table == nullptr ? 0 : places_.Load(Order::kRelaxed);
  for (uint32_t place = 1; place <= places; ++place) {
    const Arena* const arena = table[place].Load(Order::kAcquire);
    if (arena == nullptr) continue;
    for (ArenaHeap* heap = arena->heaps.Load(Order::kAcquire); heap != nullptr;
         heap = heap->next.Load(Order::kRelaxed)) {
      if (heap->home() == home) heap->Attach(nullptr);
    }
  }
  ThreadArenas* const mine = ThreadArenas::Of(home);
  for (ArenaHeap*& slot : mine->slots) slot = nullptr;
  mine->kept_count = 0;
  mine->any_remains.Store(0, Order::kRelaxed);
  mine->spare = nullptr;
  mine->returned.Exchange(nullptr, Order::kAcquire);
  mine->next_number = 0;
  mine->numbers_end = 0;
  home->AboveIsWhole();
}

void Arenas::GiveBack(ArenaHeap* heap, Heap* home) {
  if (ALCOVE_UNLIKELY(heap->home() == nullptr)) {
    // It has retired, and is as good as any.
    if (home == nullptr) return;
    heap->Attach(home);
  }
  ThreadArenas* const theirs = ThreadArenas::Of(heap->home());
  if (heap->home() == home) {
    heap->next.Store(theirs->spare, Order::kRelaxed);
    theirs->spare = heap;
    return;
  }
  ArenaHeap* head = theirs->returned.Load(Order::kRelaxed);
  do {
    heap->next.Store(head, Order::kRelaxed);
  } while (!theirs->returned.CompareExchange(head, heap, Order::kRelease));
}

void Arenas::CallBack(const Arena* arena, uint64_t crossed,
                      CallSoftQuota call) {
  for (; ALCOVE_UNLIKELY(crossed != 0); crossed >>= 1) {
    // Before the call: it may end a child, whose parent this is.
    const Arena* const parent = arena->parent;
    if ((crossed & 1) != 0 && arena->on_soft_quota != nullptr) {
      call(arena->on_soft_quota, arena->handle.Load(Order::kRelaxed),
           arena->quota.held(), arena->context);
    }
    arena = parent;
  }
}

// ---- Life ----

ArenaHandle Arenas::Create(Instance* instance, Heap* home,
                           const ArenaOptions& options) {
  if (ALCOVE_LIKELY(options.parent == 0))
    return CreateIn(nullptr, instance, home, options);
  Arena* const parent = Resolve(options.parent);
  if (parent->level + 1 >= kLevelsMax) return 0;
  const Ending beginning(EndingOf(home), options.parent, &homeless_ending_);
  if (!CountChild(&parent->children, parent->handle, options.parent))
    StopGone(options.parent);
  const ArenaHandle handle = CreateIn(parent, instance, home, options);
  if (handle == 0) UncountChild(&parent->children);
  return handle;
}

ArenaHandle Arenas::CreateIn(Arena* parent, Instance* instance, Heap* home,
                             const ArenaOptions& options) {
  const Heap::AboveAtWork at_work(home);
  instance_.Store(instance, Order::kRelaxed);
  store_.Begin(&instance->region);
  ThreadArenas* const mine = ThreadArenas::Of(home);
  Arena* const arena =
      mine->kept_count != 0 ? mine->kept[--mine->kept_count] : NewArena();
  if (ALCOVE_UNLIKELY(arena == nullptr)) return 0;
  const uint64_t number = ALCOVE_LIKELY(mine->next_number != mine->numbers_end)
                              ? mine->next_number++
                              : NewNumber(mine);
  const ArenaHandle handle = MakeHandle(number, arena->place);
  arena->number.Store(number, Order::kRelaxed);
  if (options.name == nullptr) {
    arena->name[0].Store(0, Order::kRelaxed);
  } else {
    Rename(arena, options.name);
  }
  arena->alignment = options.alignment;
  arena->level = parent == nullptr ? 0 : parent->level + 1;
  arena->parent_handle.Store(options.parent, Order::kRelaxed);
  arena->on_soft_quota = options.on_soft_quota;
  arena->context = options.context;
  Arena::Remains remains = arena->remains;
  if (remains != Arena::Remains::kNothing) {
    mine->any_remains.Store(0, Order::kRelaxed);
    arena->remains = Arena::Remains::kNothing;
    if (remains == Arena::Remains::kRun && !options.monotonic) {
      arena->parent = nullptr;
      EndBlocks(arena, home);
      remains = Arena::Remains::kNothing;
    }
  }
  arena->quota.Begin(options.hard_quota, options.soft_quota);
  arena->parent = parent;
  arena->monotonic = options.monotonic;
  // With guards, which are between spans, spans cannot be cut out of one.
  if (ALCOVE_UNLIKELY(options.reserve != 0 && !Config::kGuardPages)) {
    size_t bytes = Min(options.reserve, kReserveMax);
    if (options.hard_quota != 0) bytes = Min(bytes, options.hard_quota);
    const size_t units = (bytes + kUnit - 1) >> kUnitShift;
    const Span span = home->AllocateSpan(units, kUnit);
    arena->reserve_range = span.range;
    arena->reserve_next.Store(span.first, Order::kRelaxed);
    arena->reserve_end = span.first + units;
    arena->reserve_zero = span.zero;
  }
  ArenaHeap* const heap = arena->heaps.Load(Order::kRelaxed);
  // Heaps that were left behind join it when they are wanted.
  if (heap != nullptr && remains != Arena::Remains::kUnits) {
    if (remains == Arena::Remains::kRun) {
      heap->BeginRested(arena, handle, options.alignment);
    } else {
      heap->Begin(arena, handle, options.monotonic, options.alignment);
    }
    mine->SlotFor(handle) = heap;
  }
  arena->handle.Store(handle, Order::kRelease);
  return handle;
}

// Ends all spans and heaps. What is left of the arena is what Create expects
// but for its heaps, which have retired.
void Arenas::EndBlocks(Arena* arena, Heap* home) {
  Region& region = instance()->region;
  const MapEntry gone = MakeEntry(kGoneClass, arena->place);
  {
    Runs runs(this);
    unsigned kept = 0;
    for (ArenaHeap* heap = arena->heaps.Load(Order::kAcquire); heap != nullptr;
         heap = heap->next.Load(Order::kRelaxed)) {
      heap->WakeForEnd();
      heap->ledger().ForEach([&](LedgerEntry entry) {
        char* const start = entry.start();
        const size_t units = entry.units();
        Range* const range = region.RangeOf(start);
        const size_t first = range->IndexOf(start);
        auto* const slab = static_cast<Slab*>(range->descriptor(first));
        bool dirty = true;
        if (slab->size_class == kLargeMark) {
          EraseUnits(*range, first, units);
          SetEntry(*range, first, gone);
          dirty = !RefreshMoved(slab, units);
        } else {
          if (ALCOVE_LIKELY(units == 1)) {
            SetEntry(*range, first, gone);
          } else {
            SetEntries(*range, first, units, gone);
          }
          if (slab->size_class != kRunMark)
            dirty = slab->fresh != 0 || !slab->zero;
          Wipe(range, first, slab);
        }
        if (kKeepsWarm && units == 1 && home != nullptr && kept < kKeptUnits &&
            !range->lent()) {
          ++kept;
          home->KeepSpanOfSlab(start, 1);
        } else {
          runs.Add(range, first, units, dirty);
        }
      });
      heap->Retire(&spare_groups_);
    }
  }
  if (ALCOVE_UNLIKELY(arena->reserve_range != nullptr)) {
    Span rest;
    rest.range = arena->reserve_range;
    rest.first = arena->reserve_next.Load(Order::kRelaxed);
    if (rest.first < arena->reserve_end) {
      region.Free(rest, arena->reserve_end - rest.first, !arena->reserve_zero);
    }
    arena->reserve_range = nullptr;
  }
  UnchargeAll(arena);
  if (ALCOVE_UNLIKELY(arena->counted())) arena->ForgetCounts();
}

ALCOVE_COLD void Arenas::EndChildren(Arena* arena, Heap* home) {
  const ArenaHandle handle =
      MakeHandle(arena->number.Load(Order::kRelaxed), arena->place);
  const Table* const table = table_.Load(Order::kAcquire);
  const auto end_those = [&] {
    uint32_t ended = 0;
    const uint32_t places = places_.Load(Order::kRelaxed);
    for (uint32_t place = 1; place <= places; ++place) {
      Arena* const child = table[place].Load(Order::kAcquire);
      if (child == nullptr) continue;
      const ArenaHandle own =
          TakeChild(&child->handle, child->parent_handle, handle);
      if (own == 0) continue;
      Finish(child, own, home);
      ++ended;
    }
    return ended;
  };
  AwaitChildren(
      &arena->children, kWaitsPerLook, end_those,
      [&] {
        return homeless_ending_.Load(Order::kAcquire) != 0 ||
               homeless_enders_.SomebodyEnds(
                   handle, &instance()->region.fork_generation()) ||
               instance()->registry.SomebodyEnds(handle);
      },
      GiveWay);
}

// The end of a small monotonic arena that only this thread used: its unit and
// its heap stay together for the next one. False if it is not one of these.
bool Arenas::EndRested(Arena* arena, Heap* home) {
  ArenaHeap* const heap = arena->heaps.Load(Order::kAcquire);
  if (!kKeepsWarm || !arena->monotonic || home == nullptr || heap == nullptr ||
      heap->home() != home || heap->left() ||
      heap->next.Load(Order::kRelaxed) != nullptr || !heap->HasOneUnit() ||
      arena->parent != nullptr || arena->has_own_memory() || arena->counted()) {
    return false;
  }
  ThreadArenas* const mine = ThreadArenas::Of(home);
  if (mine->any_remains.Load(Order::kRelaxed) != 0 ||
      mine->kept_count == ThreadArenas::kKeptMax) {
    return false;
  }
  Slab* const run = heap->run();
  const Range* const range = heap->run_range();
  const size_t first = range->IndexOf(run->start);
  SetEntry(*range, first, MakeEntry(kGoneClass, arena->place));
  WipeRun(range, first, run);
  heap->Rest();
  UnchargeAll(arena);
  arena->remains = Arena::Remains::kRun;
  mine->any_remains.Store(1, Order::kRelaxed);
  return true;
}

// The end of an arena of a few units: the heaps stay with its object, and with
// them their units. False if it is not one of these.
bool Arenas::LeaveHeaps(Arena* arena, Heap* home) {
  ArenaHeap* const first = arena->heaps.Load(Order::kAcquire);
  if (!kKeepsWarm || home == nullptr || first == nullptr ||
      arena->has_own_memory() || arena->counted()) {
    return false;
  }
  ThreadArenas* const mine = ThreadArenas::Of(home);
  if (mine->any_remains.Load(Order::kRelaxed) != 0 ||
      mine->kept_count == ThreadArenas::kKeptMax) {
    return false;
  }
  unsigned heaps = 0;
  unsigned left = kLeftUnitsMax;
  for (ArenaHeap* heap = first; heap != nullptr;
       heap = heap->next.Load(Order::kRelaxed)) {
    unsigned count;
    if (++heaps > kLeftHeapsMax || !heap->CanBeLeft(left, &count) ||
        heap->home() == nullptr) {
      return false;
    }
    left -= count;
  }
  const MapEntry gone = MakeEntry(kGoneClass, arena->place);
  for (ArenaHeap* heap = first; heap != nullptr;
       heap = heap->next.Load(Order::kRelaxed)) {
    if (!heap->left()) heap->Leave(instance()->region, gone);
  }
  UnchargeAll(arena);
  arena->remains = Arena::Remains::kUnits;
  mine->any_remains.Store(1, Order::kRelaxed);
  return true;
}

ALCOVE_COLD void Arenas::Trim(Heap* home) {
  const Heap::AboveAtWork at_work(home);
  ThreadArenas* const mine = ThreadArenas::Of(home);
  if (mine->any_remains.Load(Order::kRelaxed) == 0) return;
  for (unsigned i = 0; i < mine->kept_count; ++i) {
    Arena* const arena = mine->kept[i];
    if (arena->remains == Arena::Remains::kNothing) continue;
    arena->remains = Arena::Remains::kNothing;
    arena->parent = nullptr;  // may be gone, and was uncharged
    EndBlocks(arena, home);
    KeepOwnHeap(arena, home, true);
  }
  mine->any_remains.Store(0, Order::kRelaxed);
}

ALCOVE_COLD void Arenas::TrimDead() {
  if (table_.Load(Order::kAcquire) == nullptr) return;
  Registry& registry = instance()->registry;
  for (Heap* heap = registry.first(); heap != nullptr; heap = heap->next_heap) {
    if (ThreadArenas::Of(heap)->any_remains.Load(Order::kRelaxed) == 0)
      continue;
    if (!registry.TakeIfDead(heap)) continue;
    if (heap->above_interrupted()) {
      Abandon(heap);
    } else {
      Trim(heap);
    }
    heap->DrainSpans();
    registry.LeaveTaken(heap);
  }
}

// The rest of the end of an arena that has no handle any more.
void Arenas::Finish(Arena* arena, ArenaHandle handle, Heap* home) {
  if (ALCOVE_UNLIKELY(instance()->parts.MayHoldArenas()))
    instance()->parts.ForgetArena(home, handle >> kArenaPlaceBits);
  const Heap::AboveAtWork at_work(home);
  if (ALCOVE_UNLIKELY(HasChildren(arena->children))) EndChildren(arena, home);
  if (!EndRested(arena, home) && !LeaveHeaps(arena, home))
    EndBlocks(arena, home);
  if (ALCOVE_UNLIKELY(arena->lent.Load(Order::kRelaxed) != nullptr))
    arena->ReturnDonations();
  if (arena->name[0].Load(Order::kRelaxed) != 0) {
    const uint64_t number = handle >> kArenaPlaceBits;
    Grave& grave = graves()[number % kGraves];
    // Whoever reads it meanwhile finds no name.
    grave.number.Store(0, Order::kRelaxed);
    for (size_t i = 0; i < kArenaNameWords; ++i) {
      grave.name[i].Store(arena->name[i].Load(Order::kRelaxed),
                          Order::kRelaxed);
    }
    grave.number.Store(number, Order::kRelease);
  }
  Arena* const parent = arena->parent;
  PutAway(arena, home);
  if (parent != nullptr) UncountChild(&parent->children);
}

// Gives all heaps of an arena that is none back but one of this thread's, if
// that is to be kept.
void Arenas::KeepOwnHeap(Arena* arena, Heap* home, bool keep) {
  ArenaHeap* heap = arena->heaps.Load(Order::kRelaxed);
  ArenaHeap* own = nullptr;
  // As others find them there, each leads on to the next.
  arena->heaps.Store(nullptr, Order::kRelaxed);
  KeepOrder();
  while (heap != nullptr) {
    ArenaHeap* const next = heap->next.Load(Order::kRelaxed);
    if (keep && heap->home() == home) {
      own = heap;
      own->next.Store(nullptr, Order::kRelaxed);
    } else {
      GiveBack(heap, home);
    }
    heap = next;
  }
  arena->heaps.Store(own, Order::kRelaxed);
}

void Arenas::PutAway(Arena* arena, Heap* home) {
  ThreadArenas* const mine = home == nullptr ? nullptr : ThreadArenas::Of(home);
  const bool keep =
      mine != nullptr && mine->kept_count < ThreadArenas::kKeptMax;
  if (arena->remains != Arena::Remains::kUnits) KeepOwnHeap(arena, home, keep);
  if (keep) {
    mine->kept[mine->kept_count++] = arena;
  } else {
    unused_.Push(arena);
  }
}

ALCOVE_INLINE void Arenas::End(Arena* arena, ArenaHandle handle, Heap* home) {
  if (ALCOVE_UNLIKELY(!TakeHandle(&arena->handle, handle))) StopGone(handle);
  Finish(arena, handle, home);
}

void Arenas::Destroy(Heap* home, ArenaHandle handle) {
  Arena* const arena = Resolve(handle);
  const ArenaHandle parent = arena->parent_handle.Load(Order::kRelaxed);
  if (ALCOVE_UNLIKELY(parent != 0)) {
    HomelessEnders::Place place(&homeless_enders_, home == nullptr,
                                &instance()->region.fork_generation());
    const Ending ending(home == nullptr ? place.ending() : EndingOf(home),
                        parent, &homeless_ending_);
    return End(arena, handle, home);
  }
  End(arena, handle, home);
}

void Arenas::Reset(Heap* home, ArenaHandle handle) {
  Arena* const arena = Resolve(handle);
  const Heap::AboveAtWork at_work(home);
  // Whoever is stopped in the middle of it leaves no arena, rather than one of
  // which some units are others' already.
  arena->handle.Store(0, Order::kRelaxed);
  KeepOrder();
  if (ALCOVE_UNLIKELY(instance()->parts.MayHoldArenas()))
    instance()->parts.ForgetArena(home, handle >> kArenaPlaceBits);
  if (ALCOVE_UNLIKELY(HasChildren(arena->children))) EndChildren(arena, home);
  EndBlocks(arena, home);
  for (ArenaHeap* heap = arena->heaps.Load(Order::kRelaxed); heap != nullptr;
       heap = heap->next.Load(Order::kRelaxed)) {
    heap->Begin(arena, handle, arena->monotonic, arena->alignment);
  }
  arena->handle.Store(handle, Order::kRelease);
}

}  // namespace ALCOVE_CORE_NAMESPACE
