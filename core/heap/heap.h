// A heap: what one thread owns at a time. Its bins are the thread's cache, its
// slabs are those it refills from. Heaps are immortal until the instance is
// shut down: the heap of a thread that ended is taken over, cache and slabs and
// all, by a later thread (registry.h).
//
// Only the owning thread calls the functions here, but for Announce (remote.h).
#ifndef ALCOVE_CORE_HEAP_HEAP_H_
#define ALCOVE_CORE_HEAP_HEAP_H_

#include "core/base/atomic.h"
#include "core/heap/bin.h"
#include "core/heap/delay.h"
#include "core/heap/remote.h"
#include "core/heap/slot_pool.h"
#include "core/heap/tenancy.h"
#include "core/region/region.h"
#include "core/size/size_class.h"
#include "core/slab/slab.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

struct Instance;

// Numbers that one thread writes and any thread may read.
class Tally {
 public:
  void Add(size_t n) {
    value_.Store(value_.Load(Order::kRelaxed) + n, Order::kRelaxed);
  }
  void Subtract(size_t n) { Add(size_t{0} - n); }
  size_t Get() const { return value_.Load(Order::kRelaxed); }

 private:
  Atomic<size_t> value_;
};

// What every free reads, in one line of the cache: the first of a heap.
class alignas(kCacheLine) HeapFront {
 protected:
  friend struct InlineLayout;  // asserts what the public header says of it

  Region::View view_;
  Instance* instance_ = nullptr;
  MapEntry own_entries_ = 0;
};

class Heap;

// The heaps of one thread, where it can have several: which one a call uses, by
// how many others it interrupted. The layer above keeps it.
inline constexpr unsigned kHeapLevels = 7;
template <bool kSeveral>
class HeapLevels {
 public:
  constexpr void Fill(Heap*) {}
  Heap*& operator[](unsigned level);  // never called
};
template <>
class HeapLevels<true> {
 public:
  constexpr void Fill(Heap* heap) {
    for (Heap*& each : heaps_) each = heap;
  }
  Heap*& operator[](unsigned level) { return heaps_[level]; }

 private:
  Heap* heaps_[kHeapLevels] = {};
};

// Sets a flag for as long as it lives, if there is one; whoever takes over from a
// thread that was stopped meanwhile finds it set. May be nested.
class WhileSet {
 public:
  explicit WhileSet(bool* flag) : flag_(flag) {
    if (flag_ == nullptr) return;
    before_ = *flag_;
    *flag_ = true;
    KeepOrder();
  }
  ~WhileSet() {
    if (flag_ == nullptr) return;
    KeepOrder();
    *flag_ = before_;
  }
  WhileSet(const WhileSet&) = delete;
  WhileSet& operator=(const WhileSet&) = delete;

 private:
  bool* const flag_;
  bool before_ = false;
};

class Heap : public HeapFront, public SlabOwner {
 public:
  constexpr Heap() = default;
  // The constant heap that a thread has before its first call, on every level:
  // every bin empty and full, so that every fast path ends in a slow one.
  explicit constexpr Heap(Heap* self) { levels.Fill(self); }

  // Fits a zeroed heap for use; `slots` is memory for SlotPool::SlotsMax()
  // pointers.
  void Init(Instance* instance, HeapNumber number, void** slots);

  ALCOVE_INLINE Bin& bin(SizeClass c) { return BinAt(c * sizeof(Bin)); }
  // The bin at `offset` bytes from the first.
  ALCOVE_INLINE Bin& BinAt(size_t offset) {
    // In the order in which an addressing mode does it.
    char* const heap = reinterpret_cast<char*>(this);
    return reinterpret_cast<Heap*>(heap + platform::Opaque(offset))->bins_[0];
  }
  const Bin& bin(SizeClass c) const { return bins_[c]; }

  // What the owner's frees look addresses up in.
  ALCOVE_INLINE const Region::View& view() const { return view_; }
  void RefreshView();
  // What the class map calls this heap.
  HeapNumber number() const {
    return static_cast<HeapNumber>(own_entries_ >> 16);
  }
  // The entries of its units, less their classes.
  ALCOVE_INLINE MapEntry own_entries() const { return own_entries_; }
  Instance* instance() const { return instance_; }

  // A block of slab class `c` where Bin::Pop() had none; null if there is no
  // memory.
  void* Refill(SizeClass c);

  // A block of slab class `c` at a multiple of a number, straight from a slab; null
  // if there is no memory. The class has at least `step` blocks to a slab, and every
  // `step`th of them is at one.
  void* TakeAtMultiple(SizeClass c, size_t multiple, size_t step);

  // Makes room for one more pointer in the bin of slab class `c`, by growing it
  // or by giving blocks back to their slabs.
  void MakeRoom(SizeClass c);

  // Takes in what other threads freed of this heap's slabs.
  void Collect();

  // Whether it is worth asking if this heap's thread is gone: there is mail,
  // and either nobody owns the heap, or nobody has fetched the mail for long.
  // Any thread may call this.
  bool LooksAbandoned() const;

  // An owner of blocks given back since the last call that looks abandoned, or
  // null.
  Heap* TakeSuspect();

  // Whether its thread was stopped in the middle of an operation that writes more
  // than one word, so that it needs Repair before anything else.
  bool interrupted() const { return at_work_; }

  // Makes the heap whole again: gives all that it caches back, as far as it can
  // be told from what is live. Lost is what was in hand (heap/README.md).
  void Repair();

  // Takes in the mail of a heap that is nobody's; if its thread `died`, gives
  // what that had cached back, too. Slabs that are empty then go to the region.
  void CleanUp(bool died);

  // Gives every cached block back to its slab or to the region, and slabs that
  // are empty to the region.
  void Drain();

  // Gives a block of slab class `c` back to its slab, whoever's that is.
  void ReturnBlock(SizeClass c, void* block);

  // With `reuse_delay` and `random_placement`: does so now, or for another block that
  // was freed earlier.
  void FreeLater(SizeClass c, void* block);
  // Blocks of the class that wait for that.
  const DelayQueue<Config::kReuseDelay != 0>& delayed() const { return delay_; }

  // Begins other random numbers, in a child of fork.
  void Reseed();
  uint32_t RandomBelow(uint32_t n) { return random_.Below(n); }

  // Whether the next Refill of this class would have to make a slab.
  bool WouldMakeSlab(SizeClass c) const {
    return listed_[c] == nullptr && !HasMail();
  }

  // Whether a bin holds this block as a free one; for checks only, slow.
  bool Caches(SizeClass c, const void* block) const;

  // ---- The cache of spans (span_cache.cc) ----

  // A cached span of span class `c` as a live block, or null.
  void* TakeCachedSpan(SizeClass c);
  // Caches a span of class `c`, longer than kExactUnitsMax, as a free one, so
  // that the class map says so. False if none may be cached.
  bool ShelveSpan(const Range& range, void* start, SizeClass c);
  // Makes room for one more span in the bin of span class `c`; false if none
  // may be cached.
  bool MakeSpanRoom(SizeClass c);
  // Cache the span of a slab that is no slab any more, of one unit or of
  // kMediumUnits, and take one for a new slab; false if there is none.
  void KeepSpanOfSlab(void* start, unsigned units);
  bool TakeSpanOfSlab(unsigned units, Span* span);
  // Gives all cached spans back to the region.
  void DrainSpans();
  // Gives the span of a large block back to the region; `clean`: it reads as
  // zero.
  void ReleaseSpan(void* start, bool clean = false);

  // Units of the region; before it gives up, the heap gives what it can spare.
  // An empty span if there is no memory.
  Span AllocateSpan(size_t units, size_t alignment);

  // Room for what the layer above keeps of a thread; zero in the beginning, and
  // never touched here.
  static constexpr size_t kRoomAbove = 512;
  ALCOVE_INLINE void* above() { return above_; }

  // While that layer writes more than one word there, or of what belongs to it,
  // that belong together; and whether a thread was stopped in the middle of this,
  // which stays so until it is seen to.
  class AboveAtWork : WhileSet {
   public:
    // Null: where the thread has no heap, there is nothing of it.
    explicit AboveAtWork(Heap* heap)
        : WhileSet(heap == nullptr ? nullptr : &heap->above_at_work_) {}
  };
  bool above_interrupted() const { return above_at_work_; }
  void AboveIsWhole() { above_at_work_ = false; }

  // ---- Counting ----

  // Blocks and bytes that left the spans through this heap (`taken`), and those
  // of other heaps' slabs that it sent back and those of its own that it so
  // received.
  struct Counts {
    Tally taken_blocks, taken_bytes;
    Tally sent_blocks, sent_bytes;
    Tally received_blocks, received_bytes;
  };
  const Counts& counts() const { return counts_; }
  void CountTaken(size_t blocks, size_t bytes);
  void CountReturned(size_t blocks, size_t bytes);
  // The same for large blocks; what is to be subtracted wraps around.
  void CountLarge(size_t blocks, size_t bytes);

  // The thread that this heap belongs to, 0 for none.
  platform::ThreadId thread() const { return tenancy.thread(); }
  Tenancy tenancy;
  // In the registry's list, and whether it has a mapping of its own; they never
  // change once it is there.
  Heap* next_heap = nullptr;
  bool mapped = false;

 private:
  friend struct InlineLayout;

  // While the owner writes more than one word that belong together. An operation
  // that may be nested in another one.
  class AtWork : WhileSet {
   public:
    explicit AtWork(Heap* heap) : WhileSet(&heap->at_work_) {}
  };

  // Gives blocks[0, n) of slab class `c` back to their slabs. A slot is null once
  // its block is where it belongs.
  void Flush(SizeClass c, void** blocks, size_t n);
  void FlushOwn(Slab* slab, const ClassInfo& info, void** slot);
  size_t FlushOwnRun(Slab* slab, const ClassInfo& info, void** blocks,
                     size_t n);
  size_t FlushOther(Slab* slab, const ClassInfo& info, void** blocks, size_t n);
  Slab* SlabOf(SizeClass c, const ClassInfo& info, const void* block,
               MapEntry* entry) const;
  bool FlushOne(const Range& range, const ClassInfo& info, void** slot);
  bool FlushOdd(SizeClass c, const ClassInfo& info, void** slot);
  void ReturnMask(SizeClass c);
  // Make bins as they were in the beginning: one that holds nothing and whose
  // array was given back, or all of them once they are drained.
  static void ClearBin(Bin& bin);
  void GiveUpSlots();
  void Grow(SizeClass c, unsigned capacity);
  void FinishGrowth();
  void ReleaseDelayed(SizeClass c);
  void RepairSlot(SizeClass c, void** slot, void** end);
  void RepairBin(SizeClass c);
  void RepairSpans(SizeClass c);
  void RepairSlabs();

  Slab* NewSlab(SizeClass c, const ClassInfo& info);
  void Gained(Slab* slab);
  void ReleaseSpare(Slab* slab);
  void List(Slab* slab);
  void Unlist(Slab* slab);
  void ReleaseSlab(Slab* slab);
  void ReleaseIfEmpty(Slab* slab);
  // Gives all slabs that are empty, and all cached spans, to the region.
  void ReleaseEmpty();
  void MaybePublishLive();
  void PublishLive();
  bool GetSpanBudget(size_t units);
  // Gives a span out of the bin of class `c` back to the region.
  void ReleaseCached(SizeClass c, void* start);

  bool at_work_ = false;
  bool above_at_work_ = false;
  uint32_t span_refusals_ = 0;  // how often they got no more since
  size_t span_units_ = 0;       // units that the span bins have room for
  Counts counts_;
  // Changes of `taken` not yet added to the instance's own count.
  ptrdiff_t unpublished_blocks_ = 0;
  ptrdiff_t unpublished_bytes_ = 0;
  // An owner of blocks in the last flush that looks abandoned, or null.
  Heap* suspect_ = nullptr;
  SlotPool slots_;
  Slab* listed_[kSlabClasses + 1] =
      {};  // slabs with blocks available, by class
  // What a young heap touches is one page: the members above, the first arrays
  // of its bins, and the bins of small classes. So the bins come last.
  void* near_slots_[SlotPool::kNearSlots] = {};
  alignas(64) Bin bins_[kClassLimit] = {};
  alignas(64) char above_[kRoomAbove] = {};

  // What Repair needs, of operations that a young heap has no use for.
  struct alignas(64) Trail {
    // What a bin is about to become; nothing while the class is 0. For whoever
    // finds it so, the bin is as good as that.
    SizeClass size_class = 0;
    unsigned capacity = 0;
    void** bottom = nullptr;
    void** top = nullptr;
    void** limit = nullptr;
    // How much of `taken` is of large blocks.
    size_t large_blocks = 0;
    size_t large_bytes = 0;
  };
  Trail trail_;
  MailTrail mail_trail_;

 public:
  // Of the thread's that owns this heap, if it finds its heaps here; only the
  // layer above reads or writes it. And how many pins the thread holds, likewise.
  [[no_unique_address]] HeapLevels<Config::kAsyncSignalSafe> levels;
  uint32_t pins = 0;

 private:
  [[no_unique_address]] RandomNumbers<Config::kUsesRandom> random_;
  [[no_unique_address]] DelayQueue<Config::kReuseDelay != 0> delay_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_HEAP_H_
