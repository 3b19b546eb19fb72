// What one thread has of one arena: its cache, and the slabs it refills from.
//
// Smaller than a Heap, because there may be many, and because nothing in it
// needs to be given back: when the arena ends, it is forgotten. There are no
// arrays of free blocks. A block that is freed by the thread itself goes back
// to its slab's bitmap at once, so a double free is noticed on the spot; one
// that is freed by another thread gets there by the protocol of heap/remote.h.
//
// It belongs to the thread's heap for good: whoever takes over that heap when
// the thread is gone has this one with it. Only that thread calls the functions
// here, but for Retire, which the thread that ends the arena calls.
#ifndef ALCOVE_CORE_ARENA_ARENA_HEAP_H_
#define ALCOVE_CORE_ARENA_ARENA_HEAP_H_

#include "core/arena/ending.h"
#include "core/arena/ledger.h"
#include "core/heap/heap.h"

namespace ALCOVE_CORE_NAMESPACE {

class Arena;

// The `size_class` of a descriptor in an arena that is of no slab: of a large
// block, and of a run of units that a monotonic arena fills from below.
inline constexpr uint8_t kLargeMark = 0;
inline constexpr uint8_t kRunMark = 255;
static_assert(kSlabClasses < kRunMark);

// Blocks of a run begin at multiples of this; each unit has a bit for each.
inline constexpr size_t kRunGranule = 16;
static_assert(kUnit / kRunGranule == kBitWordsMax * 64);

// The bytes of a run that is not its owner's last one any more, in a word of its
// descriptor that only small slabs use.
inline Atomic<BitWord>& RunBytes(Slab* run) { return run->inline_remote[0]; }

// The words of a unit's bits: which blocks begin, and which of them were freed.
// The second without the first: a block ends, and what follows is padding.
struct RunBits {
  Atomic<BitWord>* begun;
  Atomic<BitWord>* freed;
};
inline RunBits BitsOfRun(const Range* range, size_t unit) {
  auto* const begun =
      static_cast<Atomic<BitWord>*>(range->bits_as_they_are(unit));
  return {begun, begun + kBitWordsMax};
}

// What a thread caches of one size class in one arena.
struct alignas(64) ArenaBin {
  // The rest of what the last refill took: blocks that were never handed out,
  // side by side, or the blocks of one bitmap word that are in the mask. One of
  // the two is empty.
  Atomic<char*> next;
  Atomic<char*> end;
  Atomic<BitWord> mask;
  char* mask_start;  // of the word's first block
  Slab* listed;      // slabs with blocks available
  // For statistics: blocks taken from slabs, and those that this thread freed.
  Published<size_t> taken;
  Published<size_t> freed;
  Published<uint32_t> size;
  Published<uint32_t> slabs;

  // How many blocks were taken and not handed out. Where another thread asks
  // during a refill, the number may be wrong, but not by more than a refill.
  size_t Left() const {
    const size_t bytes = AddressOf(end.Load(Order::kRelaxed)) -
                         AddressOf(next.Load(Order::kRelaxed));
    const size_t fresh =
        bytes <= kFreshBytesMax ? bytes / Max(size.Peek(), 1u) : 0;
    return fresh + CountBits(mask.Load(Order::kRelaxed));
  }
  // A refill takes so many bytes of blocks that were never handed out, or so
  // many blocks if that is more.
  static constexpr size_t kFreshBytes = 16 * 1024;
  static constexpr unsigned kFreshMin = 64;
  static constexpr size_t kFreshBytesMax = kFreshMin * kSlabMax;
  static unsigned FreshMax(size_t size) {
    return Max(static_cast<unsigned>(kFreshBytes / size), kFreshMin);
  }
};
static_assert(sizeof(ArenaBin) == 1 << kBinShift);

class alignas(kStoreGranule) ArenaHeap : public SlabOwner {
 public:
  // For a zeroed object, once.
  void Attach(Heap* home) { home_.Store(home, Order::kRelaxed); }

  // Joins an arena that is not of this heap yet.
  void Begin(Arena* arena, ArenaHandle handle, bool monotonic,
             size_t alignment);

  // Forgets all of it. The arena's slabs are no more.
  void Retire(Stack<LedgerGroup>* spare_groups);

  // Whether blocks of this arena may be had by TryAllocate.
  bool Serves(ArenaHandle handle) const {
    return slab_handle_.Load(Order::kRelaxed) == handle ||
           run_handle_.Load(Order::kRelaxed) == handle;
  }
  ArenaHandle handle() const { return handle_.Load(Order::kRelaxed); }
  // Where a handle is to fit nobody. In the slot where a heap is looked for, all
  // handles are even or all are odd, so that not even one that is made up fits.
  static constexpr ArenaHandle Spoilt(ArenaHandle handle) { return handle ^ 1; }
  // Null: its home's thread was stopped in the middle of working on it, and nobody
  // goes on with it before the arena ends.
  Heap* home() const { return home_.Load(Order::kRelaxed); }
  Arena* arena() const { return arena_; }

  // A block of malloc's alignment, if one can be had in a few instructions. Null
  // for the handle of an arena that this heap is not of.
  ALCOVE_INLINE void* TryAllocate(ArenaHandle handle, size_t size) {
    if (slab_handle_.Load(Order::kRelaxed) == handle) {
      if (ALCOVE_UNLIKELY(size > kLookupMax)) return nullptr;
      return Pop(BinAt(LookupBinOffset(size)));
    }
    if (ALCOVE_UNLIKELY(run_handle_.Load(Order::kRelaxed) != handle))
      return nullptr;
    char* const next = run_next_.Own();
    // 0 wraps around.
    if (ALCOVE_UNLIKELY(size - 1 >= static_cast<size_t>(run_limit_ - next)))
      return nullptr;
    const size_t bytes = ((size - 1) | granule_mask_) + 1;
    Enter(next);
    run_next_.Store(next + bytes, Order::kRelease);
    if (next == nullptr) __builtin_unreachable();
    return next;
  }

  // Makes the last run as its owner left it, where that may have been stopped in
  // the middle of TryAllocate.
  void SettleRun();

  // Writes down how far the last run goes, and has none from now on.
  void FinishRun();

  // Enters the unit that was left, if nothing was allocated in it yet, in the
  // ledger, for the arena to end it like others.
  void WakeForEnd();

  // Whether all it has is one run of one unit.
  bool HasOneUnit() const {
    return run_ != nullptr && run_->units == 1 && ledger_.HasOne();
  }

  // As Retire, but the one unit stays, to be filled anew by the next arena: a
  // small one then costs hardly more than its blocks. Wiped, and out of the map.
  void Rest();

  // ---- Left behind: what the heaps of a small arena are at its end ----
  //
  // The thread that ends the arena does as little as it can to the heaps of
  // others, whose memory is in other caches; they clean up themselves, when they
  // join the next arena of the same object, and have units to begin with.

  // Whether all it has is units, at most `max`. *count is how many.
  bool CanBeLeft(unsigned max, unsigned* count) const {
    *count = spans_;
    return spans_ <= max;
  }
  // Has its handle fit nobody, and its units be those of an arena that is gone.
  void Leave(const Region& region, MapEntry gone);
  // It is in the list of an arena that ended, or of one that began since and
  // that it has not joined.
  bool left() const { return left_.Is(); }

  // A span was taken for the arena.
  void Took(const Span& span, size_t units) {
    if (spans_ == 0) {
      SetOnly(span.range, span.first);
    } else {
      only_.range = nullptr;
    }
    KeepOrder();
    spans_ = units == 1 ? spans_ + 1 : kManySpans;
  }

  // Joins an arena with the unit that was left.
  void BeginRested(Arena* arena, ArenaHandle handle, size_t alignment);

  // A block of any size, at a multiple of `alignment`, a power of two of up to
  // 1 GiB. *zero: whether it is to read as zero. Null if there is no memory or
  // the quota does not allow it.
  void* Allocate(size_t size, size_t alignment, bool zero);

  // Frees a block of one of this heap's own slabs, whose place was checked.
  void FreeOwn(Slab* slab, const BlockPlace& place);

  // Makes a block of `usable` bytes, if it is the last one of the run, longer;
  // false if it is not or there is no room.
  bool ExtendLast(void* block, size_t usable, size_t size);

  // Takes in what other threads freed. Also by a thread that holds the home of
  // one that is gone.
  void Collect();

  // Gives the last slab of each class back where it is empty; whether there was
  // one.
  bool ReleaseEmpty();

  // Soft quotas that were crossed for this heap's sake, by level above the
  // arena, and whose callbacks are due.
  void NoteCrossed(uint64_t levels) { crossed_ |= levels; }
  uint64_t TakeCrossed() {
    const uint64_t levels = crossed_;
    crossed_ = 0;
    return levels;
  }

  // Whether a block of one of its slabs of class `c` is what the last refill
  // took and was not handed out since.
  bool Holds(SizeClass c, const char* block) const;

  // ---- For statistics, by any thread ----

  const ArenaBin& bin(SizeClass c) const { return bins_[c]; }
  // One past the last block of the run that is being filled; null for none.
  char* run_next() const { return run_next_.Load(Order::kAcquire); }
  Slab* run() const { return run_; }
  const Range* run_range() const { return run_range_; }
  const Ledger& ledger() const { return ledger_; }
  Ledger& ledger() { return ledger_; }
  // Bytes of slabs and runs that were handed out at some time.
  size_t touched() const { return touched_.Peek() + RunTouched(); }
  // What was taken and not yet added to the arena's count, and the most that
  // that was since.
  ptrdiff_t unpublished_blocks() const { return unpublished_blocks_.Peek(); }
  ptrdiff_t unpublished_bytes() const { return unpublished_bytes_.Peek(); }
  ptrdiff_t unpublished_blocks_peak() const { return blocks_peak_.Peek(); }
  ptrdiff_t unpublished_bytes_peak() const { return bytes_peak_.Peek(); }

  // In the arena's list of heaps, and then in the list of those that its home
  // has to spare.
  Atomic<ArenaHeap*> next;

 private:
  friend struct InlineLayout;  // asserts what the public header says of it

  ALCOVE_INLINE ArenaBin& BinAt(size_t offset) {
    char* const heap = reinterpret_cast<char*>(this);
    return reinterpret_cast<ArenaHeap*>(heap + platform::Opaque(offset))
        ->bins_[0];
  }
  static ALCOVE_INLINE void* Pop(ArenaBin& bin) {
    char* const next = bin.next.Own();
    if (ALCOVE_LIKELY(next != bin.end.Own())) {
      bin.next.Store(next + bin.size, Order::kRelaxed);
      if (next == nullptr) __builtin_unreachable();
      return next;
    }
    const BitWord m = bin.mask.Own();
    if (ALCOVE_UNLIKELY(m == 0)) return nullptr;
    bin.mask.Store(m & (m - 1), Order::kRelaxed);
    char* const block = bin.mask_start + size_t{LowestBit(m)} * bin.size;
    if (block == nullptr) __builtin_unreachable();
    return block;
  }
  // Notes that a block begins in the run's unit. Before run_next_ is moved on,
  // so that whoever sees that sees this. Of words that are further on than the
  // last one, all bits are zero; that one is kept here: to read back what the
  // block before stored at an address that depends on it would take the longest.
  ALCOVE_INLINE void Enter(const char* block) {
    const uintptr_t granule = AddressOf(block) / kRunGranule;
    const uintptr_t index = granule / 64;
    // Without a branch, which sizes that differ would have mispredicted.
    const BitWord same = BitWord{0} - BitWord{index == run_index_};
    const BitWord marks = (run_marks_ & same) | BitWord{1} << (granule % 64);
    run_index_ = index;
    run_marks_ = marks;
    reinterpret_cast<Atomic<BitWord>*>(run_begun_ + index * sizeof(BitWord))
        ->Store(marks, Order::kRelaxed);
  }
  static constexpr uintptr_t kNoIndex = ~uintptr_t{0};
  static constexpr unsigned kManySpans = 1u << 31;

  void SetOnly(Range* range, size_t first) {
    only_.first = first;
    KeepOrder();
    only_.range = range;
  }
  void Spoil();
  size_t RunTouched() const;

  void* Refill(SizeClass c, bool* zero);
  void CheckCollected(const Slab* slab) const;
  Atomic<BitWord>* RunUnit(const char* place) const;
  void EnterFrom(const char* place);
  void EnterPadding(const char* place);
  void* AllocateRun(size_t size, size_t alignment, bool zero);
  bool NewRun(size_t bytes);
  bool StartRested();
  void SetLimit(char* next);
  void CloseRun();
  void ReturnRest(SizeClass c);
  void Gained(Slab* slab);
  void Release(Slab* slab);
  void List(Slab* slab);
  void Unlist(Slab* slab);
  void Count(ptrdiff_t blocks, ptrdiff_t bytes);

  // The arena's handle where blocks come from slabs and have no alignment but
  // malloc's, and where they come from a run; else what fits nobody.
  Atomic<ArenaHandle> slab_handle_;
  Atomic<ArenaHandle> run_handle_;
  char* run_limit_ = nullptr;  // the end of the unit that is being filled
  Atomic<char*> run_next_;
  // Where that unit's bits would begin if they were those of address 0.
  uintptr_t run_begun_ = 0;
  uintptr_t run_index_ = 0;  // of the word that was written to last, in those
  BitWord run_marks_ = 0;    // and what is in it
  size_t granule_mask_ = 0;  // the alignment of all blocks, less 1

  Atomic<ArenaHandle> handle_;
  Arena* arena_ = nullptr;
  Atomic<Heap*> home_;
  // How many spans it took for its arena, at least kManySpans if not all are of
  // a unit; and the one, if that was all.
  unsigned spans_ = 0;
  Span only_;
  LeftBehind left_;

  bool resting_ = false;  // nothing was allocated in the unit that was left
  Slab* run_ = nullptr;
  Range* run_range_ = nullptr;
  Atomic<char*> run_start_;
  char* run_end_ = nullptr;
  unsigned run_units_ = 0;  // how long the next run will be
  uint64_t used_bins_ = 0;
  uint64_t zero_bins_ = 0;  // what the last refill took reads as zero
  uint64_t crossed_ = 0;
  Published<size_t> touched_;
  alignas(64) ArenaBin bins_[kSlabClasses + 1] = {};
  Published<ptrdiff_t> unpublished_blocks_;
  Published<ptrdiff_t> unpublished_bytes_;
  Published<ptrdiff_t> blocks_peak_;
  Published<ptrdiff_t> bytes_peak_;
  Ledger ledger_;
};
static_assert(kSlabClasses < 64, "used_bins_ is one word");

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_ARENA_HEAP_H_
