// Blocks that are given back in parts, and what is made of the parts.
//
// Of a block that free_range was called for it is written down, to the byte, which
// parts of it are live; a part is a block of its own from then on. What lies
// between two live parts is a gap, as far as it has whole granules of 16 bytes: so
// a granule that is shared by two parts is nobody's until both are gone. Gaps are
// handed out as blocks, which are parts like others. Whole units of a gap in a
// large block leave it at once, for the system and then for anybody. When no part
// of a block is left, it is as if it had been freed as a whole.
//
// A block of an arena is written down likewise, but kept: nobody else gets anything of
// it before it is gone; whole units give their memory to the system and stay. With knobs
// that guard where a block ends (Config::kWholeBlocks) all are.
//
// The class map tells such blocks from others: the first unit of a large one has
// kPartsClass; an arena's keep its class; all units of a slab with such a block have
// kPartsSlabClass, for as long as the slab exists. Frees of these, of any block in
// them, end in the slow path and are looked up here. Blocks of other slabs and spans
// know nothing of it.
//
// One thread at a time changes this, so that it can be simple, and nobody waits for it
// (combiner.h), unless kSlots others have left work already. All that is changed is
// published by one store (extents.h). Who is stopped for good while it frees a block as
// a whole has freed it, or loses it.
#ifndef ALCOVE_CORE_HEAP_PARTS_H_
#define ALCOVE_CORE_HEAP_PARTS_H_

#include "core/base/atomic.h"
#include "core/heap/combiner.h"
#include "core/heap/extents.h"
#include "core/region/store.h"
#include "core/slab/slab.h"

namespace ALCOVE_CORE_NAMESPACE {

class Heap;
struct Instance;

class Parts {
 public:
  static constexpr size_t kGranule = 16;

  explicit constexpr Parts(Instance* instance) : instance_(instance) {}

  // `heap`, here and below, is the calling thread's, or null where it can get none.

  // Gives [p, p + n), n >= 1, back, which is all of a live block or part, or within
  // one; misuse for anything else. False if there is no memory to write it down;
  // then nothing has changed.
  bool FreeRange(Heap* heap, void* p, size_t n);

  // Whether what is at `p`, in a unit with this entry, may be in parts; if not, it
  // is not. A look at the descriptor, at most.
  bool MayHold(const Range& range, const void* p, MapEntry entry) const;

  // Frees the part that begins at `p`; false if that is in a whole block, and nothing
  // was done.
  bool Free(Heap* heap, void* p);

  // The size of the live part that begins at `p`; 0 if none does.
  size_t SizeOf(const void* p) const;

  // Whether `p` is in a block that was given back in part, and not as a whole.
  bool Holds(const void* p) const;

  // The entry that a unit would have if no block were given back in parts, for a
  // block that was not.
  static MapEntry EntryOfWhole(const Range& range, const void* p,
                               MapEntry entry);

  // A block of `size` bytes in a gap; null if there is none, or another thread is
  // at it. Ask HasGap first.
  void* Take(Heap* heap, size_t size);
  bool HasGap(size_t size) const {
    return largest_gap_.Load(Order::kRelaxed) >= size;
  }

  // Of the live blocks, what was given back and is not in use again.
  size_t gap_bytes() const { return gap_bytes_.Load(Order::kRelaxed); }
  size_t metadata() const { return store_.mapped(); }

  // What the layer above knows of blocks that are kept: of an arena's, which one holds
  // an address, and the arena's number; of any other, *begin and *end known, where it
  // ends without what guards its end. False if there is none. And how it frees one.
  using FindKept = bool (*)(uintptr_t at, uintptr_t* begin, uintptr_t* end,
                            uint64_t* arena);
  using FreeKept = void (*)(void* block);
  void Serve(FindKept find, FreeKept free) {
    free_kept_.Store(free, Order::kRelaxed);
    find_kept_.Store(find, Order::kRelease);
  }
  // Whether any block of an arena may be in parts: none is before Serve.
  bool MayHoldArenas() const {
    return (arena_blocks_.Load(Order::kRelaxed) != 0 || combiner_.busy()) &&
           find_kept_.Load(Order::kAcquire) != nullptr;
  }

  // Before the blocks of an arena end, whose number this is: forgets those in parts.
  // Waits for who is at it, if any of it is this arena's.
  void ForgetArena(Heap* heap, uint64_t arena);

  // What a thread goes by here.
  static uint64_t NameOf(const Heap* heap);
  // Has the thread that forked keep what it is at, though its heap's turn is another.
  void Rename(uint64_t before, uint64_t after);

  // Calls visit(start, size) for each live part that begins in [from, to).
  template <typename Visit>
  void ForEach(const void* from, const void* to, Visit visit) const {
    for (uint64_t at = AddressOf(to); at > AddressOf(from);) {
      Pair part;
      if (!sets_.AtMost(kLive, {at - 1, ~uint64_t{0}}, &part)) return;
      if (part.first < AddressOf(from)) return;
      visit(reinterpret_cast<void*>(part.first), part.second - part.first);
      at = part.first;
    }
  }

  void Release();

 private:
  enum Set : unsigned {
    kLive,  // parts: the first byte, the byte behind
    kGaps,  // their length, the first byte
    kSpans,  // blocks given back in part: the first byte, the byte behind and flags
    kArenas,  // those of arenas: the arena's number, the first byte
  };
  static constexpr uint64_t kAny = ~uint64_t{0};  // not less than anything
  // With the byte behind a block: a large one whose pages came by moving them; one
  // that is kept.
  static constexpr uint64_t kMoved = 1;
  static constexpr uint64_t kKept = 2;
  static constexpr unsigned kFlagBits = 2;
  static uint64_t EndAndFlags(uintptr_t end, uint64_t flags) {
    return end << kFlagBits | flags;
  }
  static uintptr_t EndOf(const Pair& span) { return span.second >> kFlagBits; }
  static uint64_t FlagsOf(const Pair& span) {
    return span.second & ((1 << kFlagBits) - 1);
  }

  static constexpr unsigned kSlots = 16;
  using Combined = Combiner<kSlots>;
  using Work = Combined::Work;  // of size 0: all of what begins there
  class Caller;

  // A part that work is about to be done on, and the block that it is in.
  struct Place {
    uintptr_t block, block_end;
    uintptr_t part, part_end;
    uint64_t flags;
    uint64_t arena;  // its number, of a block that is whole so far
    bool is_new;     // the block is whole so far
  };

  bool IsGone(uint64_t name);
  static char* PointerTo(uintptr_t address) {
    return reinterpret_cast<char*>(address);
  }
  bool IsHeldBeneath(uint64_t holder, const Heap* heap) const;
  bool TryEnter(Heap* heap);
  void Enter(Heap* heap);
  void Leave(Heap* heap);
  bool Drain(Heap* heap);
  bool Submit(Heap* heap, Work work);
  bool Do(Heap* heap, Work work, bool owed);
  bool Find(uintptr_t at, Place* place) const;
  bool WholeAt(uintptr_t at, Place* place) const;
  void Remove(Heap* heap, const Place& place, uintptr_t begin, uintptr_t end);
  void RemoveKept(const Place& place, uintptr_t begin, uintptr_t end,
                  uintptr_t gap_begin, uintptr_t gap_end);
  uint64_t ArenaAt(const Place& place) const;
  void FreeWhole(Heap* heap, uintptr_t block);
  void Mark(const Heap* heap, uintptr_t at);
  void MarkInSlab(const Heap* heap, const Range& range, const char* p,
                  MapEntry entry);
  void GiveUnits(uintptr_t begin, uintptr_t end, bool moved);
  void Count(Heap* heap, size_t blocks, size_t bytes);
  void AddGap(uintptr_t begin, uintptr_t end);
  void EraseGap(uintptr_t begin, uintptr_t end);
  void Publish();

  Instance* const instance_;
  Atomic<FindKept> find_kept_;
  Atomic<FreeKept> free_kept_;
  Atomic<uint32_t> arena_blocks_;  // in kArenas, at least
  Atomic<size_t> largest_gap_;
  Atomic<size_t> gap_bytes_;
  size_t gap_bytes_now_ = 0;
  Extents sets_;
  Store store_;
  Combined combiner_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_PARTS_H_
