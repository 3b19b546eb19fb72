// One arena: a temporary heap inside an instance.
//
// It has a heap for each thread that used it, and takes its units from the
// instance's region, so that the one look at the class map answers for its
// blocks, too: a unit of an arena has the class kArenaClass and the arena's
// place in the table; the rest is in the descriptors. When the arena ends, its
// units are marked kGoneClass and are anybody's again: nothing is done for each
// block, and no other thread is asked.
//
// Objects are never unmapped before shutdown and never anything else, and a
// handle holds for one arena only, so that a late use of it is noticed.
#ifndef ALCOVE_CORE_ARENA_ARENA_H_
#define ALCOVE_CORE_ARENA_ARENA_H_

#include "core/arena/arena_heap.h"
#include "core/arena/quota.h"
#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

class Arenas;

// How deep arenas may be nested: their ends are, too, and a charge has a bit for
// each level.
inline constexpr unsigned kLevelsMax = 64;

inline constexpr size_t kArenaNameBytes = 32;  // with the zero at the end
inline constexpr size_t kArenaNameWords = kArenaNameBytes / sizeof(uint64_t);

// The caller's function, whose type the public header gives it; and who knows
// that type and calls it, with the bytes held.
using SoftQuotaCallback = void (*)();
using CallSoftQuota = void (*)(SoftQuotaCallback, ArenaHandle, size_t, void*);

struct ArenaOptions {
  const char* name = nullptr;
  ArenaHandle parent = 0;
  size_t hard_quota = 0;
  size_t soft_quota = 0;
  SoftQuotaCallback on_soft_quota = nullptr;
  void* context = nullptr;
  size_t alignment = 0;  // 0 or a power of two
  size_t reserve = 0;
  bool monotonic = false;
};

class alignas(kStoreGranule) Arena {
 public:
  // ---- Memory for its heaps ----

  // Units for a slab, a run or a large block, charged to the arena and those
  // above it, and the slot in the heap's ledger where the caller writes them
  // down once their descriptors say what they are. An empty span if the quota or
  // the system refuses.
  Span TakeSpan(ArenaHeap* heap, size_t units, size_t alignment,
                Ledger::Slot** slot);

  // Makes memory of the program the arena's; used before any other.
  Region::Donation Donate(void* memory, size_t size);
  // Whether that has room for so many units; others may be faster.
  bool HasDonated(size_t units) const;
  // Makes all of that the program's again. The arena has no blocks.
  void ReturnDonations();

  // Gives units back that are out of the class map and, if they were in a
  // ledger, out of that. Any thread may.
  void GiveSpan(const Span& span, size_t units, bool dirty);

  // The same charges, where a large block grows or shrinks in place. *crossed
  // gets a bit for each level whose soft quota was crossed: bit 0 is the arena.
  bool Charge(size_t units, uint64_t* crossed);
  void Uncharge(size_t units);

  // Whether some memory is kept for it, which must not outlive it in a cache.
  bool has_own_memory() const {
    return reserve_range != nullptr || lent.Load(Order::kRelaxed) != nullptr;
  }

  // Has what other threads freed of dead threads' slabs in this arena given
  // back; whether there was any.
  bool CollectAbandoned(const Heap* home);

  MapEntry entry() const { return MakeEntry(kArenaClass, place); }

  // ---- Large blocks (arena_large.cc) ----

  // One of `units`, its first `size` bytes zeroed if it is to be `zero`.
  void* AllocateLarge(ArenaHeap* heap, size_t units, size_t alignment,
                      size_t size, bool zero);
  // Frees one; misuse if it was freed already. Any thread may.
  void FreeLarge(Range* range, void* block);
  bool ResizeLarge(Range* range, void* block, size_t size, uint64_t* crossed);
  void* MoveLarge(ArenaHeap* heap, Range* range, void* block, size_t size);

  // ---- What it is ----

  // First what a thread reads that joins it, on one cache line, and on the next
  // what it charges.

  Atomic<ArenaHandle> handle;  // 0: it is none at the moment
  Atomic<uint64_t> number;  // stays when the arena is gone, and so does `name`
  Atomic<ArenaHeap*> heaps;
  Arena* parent = nullptr;
  size_t alignment = 0;  // of all blocks at least
  // What was reserved at the beginning and is not in use yet: units from
  // `reserve_next` to `reserve_end` of the range.
  Range* reserve_range = nullptr;
  Arenas* arenas = nullptr;
  HeapNumber place = 0;  // in the table; stays for good
  bool monotonic = false;
  // What is left of it in heaps, if it is none and a thread keeps it.
  enum class Remains : uint8_t {
    kNothing,
    kRun,    // its only heap, of that thread, has rested
    kUnits,  // its heaps were left behind
  };
  Remains remains = Remains::kNothing;
  unsigned level = 0;  // how many are above it

  alignas(64) Quota quota;
  // What was donated to it, for as long as it lives; looked at when it takes units.
  Atomic<LentRange*> lent;

  Atomic<uint64_t> name[kArenaNameWords];
  Atomic<ArenaHandle> parent_handle;
  Atomic<uint32_t> children;
  SoftQuotaCallback on_soft_quota = nullptr;
  void* context = nullptr;
  Atomic<size_t> reserve_next;
  size_t reserve_end = 0;
  bool reserve_zero = false;

  alignas(
      64) LiveCount live;  // small blocks as heaps publish it, and large ones
  Atomic<size_t> large_blocks;
  Atomic<size_t> large_bytes;
  // Blocks that were freed by other threads than their slab's, by class.
  Atomic<size_t> freed_remotely[kSlabClasses + 1];
  Atomic<uint32_t> any_freed_remotely;

  // Whether there is anything to forget of these.
  bool counted() const {
    return live.bytes_peak.Load(Order::kRelaxed) != 0 ||
           any_freed_remotely.Load(Order::kRelaxed) != 0;
  }
  void ForgetCounts();
  // Counts blocks that were freed by another thread than their slab's.
  void CountFreedRemotely(SizeClass c) {
    if (any_freed_remotely.Load(Order::kRelaxed) == 0)
      any_freed_remotely.Store(1, Order::kRelaxed);
    freed_remotely[c].FetchAdd(1, Order::kRelaxed);
  }

  // In the stack of those that are none.
  Atomic<Arena*> next;

 private:
  Span TakeDonated(size_t units, size_t alignment) const;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_ARENA_H_
