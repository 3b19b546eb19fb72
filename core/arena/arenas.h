// All arenas of an instance: their table, their beginnings and ends, and what a
// thread keeps of them.
#ifndef ALCOVE_CORE_ARENA_ARENAS_H_
#define ALCOVE_CORE_ARENA_ARENAS_H_

#include "core/arena/arena.h"
#include "core/arena/homeless_enders.h"
#include "core/base/line.h"

namespace ALCOVE_CORE_NAMESPACE {

// What a thread keeps of arenas, beside its heap, in the room there.
struct ThreadArenas {
  static constexpr unsigned kSlots = 16;
  static constexpr unsigned kKeptMax = 4;

  static ALCOVE_INLINE ThreadArenas* Of(Heap* heap) {
    return static_cast<ThreadArenas*>(heap->above());
  }

  // The heaps that the thread used last, by their arenas' places: where a new
  // one is found without a search. A slot may be out of date; handles tell.
  ArenaHeap* slots[kSlots];
  ALCOVE_INLINE ArenaHeap*& SlotFor(ArenaHandle handle) {
    return slots[handle % kSlots];
  }

  // Arenas that are none, for the next ones that this thread creates. Each may
  // have a heap, of this thread's; one of them may have units (Arena::Remains),
  // and then others' heaps, too.
  Arena* kept[kKeptMax];
  unsigned kept_count;
  Atomic<uint32_t> any_remains;

  // Heaps to use again; and those that other threads have put back.
  ArenaHeap* spare;
  Atomic<ArenaHeap*> returned;

  // Numbers that are this thread's to give.
  uint64_t next_number;
  uint64_t numbers_end;
};
static_assert(sizeof(ThreadArenas) <= Heap::kRoomAbove);

class Arenas {
 public:
  constexpr Arenas() = default;

  // An arena; 0 if there is no memory or there are too many. `home` is the
  // calling thread's heap here and below.
  ArenaHandle Create(Instance* instance, Heap* home,
                     const ArenaOptions& options);

  // Ends it and its children. `home` may be null.
  void Destroy(Heap* home, ArenaHandle handle);

  // Ends its blocks and its children.
  void Reset(Heap* home, ArenaHandle handle);

  // The arena; stops if the handle is none or its arena is gone.
  Arena* Resolve(ArenaHandle handle) const;

  // The arena in a place that an entry of the class map names.
  Arena* at(HeapNumber place) const {
    return table_.Load(Order::kAcquire)[place].Load(Order::kAcquire);
  }

  // The calling thread's heap in an arena; null if there is no memory. Stops as
  // Resolve does.
  ArenaHeap* HeapFor(Heap* home, ArenaHandle handle);

  // Calls what is to be called where soft quotas were crossed. The caller holds
  // nothing.
  // `crossed` says whose (Arena::Charge).
  static void CallBack(const Arena* arena, uint64_t crossed,
                       CallSoftQuota call);

  // Stop the process: "use of arena 7 (name), which is gone", and "<what>
  // <address>, a block of arena 7 (name), which is gone".
  [[noreturn]] void StopGone(ArenaHandle handle) const;
  [[noreturn]] void StopGone(const char* what, const void* address,
                             const Range& range) const;

  // Adds "arena 7 (name)" to a line.
  void Name(TextLine* line, uint64_t number, HeapNumber place) const;

  // The arena's object at any place, or null where there is none.
  Arena* Find(unsigned place) const {
    const Table* const table = table_.Load(Order::kAcquire);
    if (table == nullptr || place > kPlacesMax) return nullptr;
    return table[place].Load(Order::kAcquire);
  }

  // Calls visit(arena) for each one that lives.
  template <typename Visit>
  void ForEach(Visit visit) const {
    const Table* const table = table_.Load(Order::kAcquire);
    if (table == nullptr) return;
    const uint32_t places = places_.Load(Order::kRelaxed);
    for (uint32_t place = 1; place <= places; ++place) {
      const Arena* const arena = table[place].Load(Order::kAcquire);
      if (arena != nullptr && arena->handle.Load(Order::kRelaxed) != 0)
        visit(*arena);
    }
  }

  // For statistics: how many live, and bytes mapped for their objects.
  size_t Count() const;
  size_t mapped() const;

  // Gives back what the calling thread keeps of arenas that are gone.
  void Trim(Heap* home);
  // The same for threads that are gone.
  void TrimDead();

  // Prepares what another thread had in arenas for the one that has taken `home`
  // over.
  void Adopt(Heap* home);

  // Where a thread was stopped in the middle of working on what it has of arenas,
  // leaves all of that as it is: what it had in arenas is nobody's until they
  // end, and what it kept of others is lost. The caller has taken `home` over.
  void Abandon(Heap* home);

  // Gives units of an arena that is gone back to the region, or puts them under
  // quarantine, and instead of them those that are there for longest.
  void Leave(const Span& span, size_t units, bool dirty);

  // Gives all units under quarantine back; whether there were any.
  bool ReleaseQuarantine();

  // Unmaps everything. Nobody may use an arena any more.
  void Release();

  Instance* instance() const { return instance_.Load(Order::kRelaxed); }
  Store* store() { return &store_; }
  Stack<LedgerGroup>* spare_groups() { return &spare_groups_; }

 private:
  friend class Arena;
  using Table = Atomic<Arena*>;

  // The names of arenas that are gone, by their numbers: where an arena's object
  // is in use again, this still knows the last ones.
  struct Grave {
    Atomic<uint64_t> number;
    Atomic<uint64_t> name[kArenaNameWords];
  };
  static constexpr unsigned kGraves = 256;

  // How many units of an arena its end may leave to the thread's own cache.
  static constexpr unsigned kKeptUnits = 16;

  // How many heaps may be left behind, and with how many units.
  static constexpr unsigned kLeftHeapsMax = 8;
  static constexpr unsigned kLeftUnitsMax = 32;

  bool EndRested(Arena* arena, Heap* home);
  bool LeaveHeaps(Arena* arena, Heap* home);
  void TakeUp(ArenaHeap* heap, Heap* home);
  void KeepOwnHeap(Arena* arena, Heap* home, bool keep);
  ArenaHandle CreateIn(Arena* parent, Instance* instance, Heap* home,
                       const ArenaOptions& options);
  Arena* NewArena();
  uint64_t NewNumber(ThreadArenas* mine);
  ArenaHeap* NewHeap(Heap* home, ThreadArenas* mine);
  static size_t TableBytes();
  bool MakeTable();
  void EndBlocks(Arena* arena, Heap* home);
  void EndChildren(Arena* arena, Heap* home);
  void End(Arena* arena, ArenaHandle handle, Heap* home);
  void Finish(Arena* arena, ArenaHandle handle, Heap* home);
  void PutAway(Arena* arena, Heap* home);
  static void GiveBack(ArenaHeap* heap, Heap* home);
  Grave* graves() const;
  Atomic<uint64_t>* quarantine() const;
  void NameOf(uint64_t number, HeapNumber place, char* name) const;

  Atomic<Table*> table_;
  Atomic<Instance*> instance_;
  Atomic<uint32_t> places_;  // that were ever given
  HomelessEnders homeless_enders_;
  Atomic<uint32_t> homeless_ending_;  // by those that have no place there
  Atomic<uint64_t> next_number_;      // not started anew by Release
  Atomic<uint64_t> quarantined_;
  Stack<Arena> unused_;
  Stack<LedgerGroup> spare_groups_;
  Store store_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_ARENAS_H_
