// The private address space of an instance: its ranges, found by address.
//
// The first range is the one whose blocks are freed fastest: heaps keep a View
// of it, so that one subtraction and one comparison say whether a pointer
// belongs to it. Further ranges are searched one by one. All are added
// without a lock, and stay until the region is released. Memory that the program
// donates is a range, too, and is used before any other.
#ifndef ALCOVE_CORE_REGION_REGION_H_
#define ALCOVE_CORE_REGION_REGION_H_

#include "core/base/atomic.h"
#include "core/base/fork_generation.h"
#include "core/region/lent.h"
#include "core/region/purger.h"
#include "core/region/range.h"

namespace ALCOVE_CORE_NAMESPACE {

class Store;

// Units that belong together.
struct Span {
  Range* range = nullptr;  // null: there is none
  size_t first = 0;
  bool zero = false;  // it reads as zero

  char* start() const { return range->AddressOfUnit(first); }
};

class Region {
 public:
  // The state before the first allocation; nothing is mapped.
  constexpr Region() = default;

  // A span of `count` units, its address a multiple of `alignment` bytes (one or
  // more units, or any less). An empty one if there is no memory.
  Span Allocate(size_t count, size_t alignment);

  // `size` bytes of zeroed memory, in one page with what every free of a young
  // instance reads: for the first who asks. Null for others, or if there is no
  // memory. It stays until the region is released.
  // (Where a donation is the first range there is one without system memory only;
  // then other donations may have one, too.)
  void* TakeRoom(size_t size);

  // Zeroed memory for the layers above, in pages of its own. Without system
  // memory it is whole units of what was donated, with no span in them.
  void* TakePages(size_t size);
  void GivePages(void* memory, size_t size);

  // `dirty`: the units may hold memory. May purge. All of what Allocate gave, and
  // what Extend added to that; the other one is for the last units of it.
  void Free(const Span& span, size_t count, bool dirty);
  void FreeTail(const Span& span, size_t count, bool dirty);

  // Returns the memory of all free units to the system; the bytes given back.
  size_t Purge();

  // Purges if it is time, or if more unused memory lies about than is good.
  void MaybePurge();

  // How much unused memory may lie about now, in units, where `used` are in
  // use.
  size_t DirtyBound(size_t used) const;

  // Makes the whole kDonationGranules of [p, p + size) a range that is never
  // unmapped or purged. It begins with a room of `room` bytes for TakeRoom, where
  // that is the first range or costs no unit.
  enum class Donation {
    kTaken,
    kInvalid,  // null, too small or too large, or the instance has some of it
    kNotWritable,  // some of it
    kFull,         // there are too many already
  };
  Donation Donate(void* p, size_t size, size_t room);

  // Makes the whole units of [p, p + size) a range of its own, *lent, with which the
  // region has nothing to do but to find it by address. What it takes of the
  // instance's memory comes from `store`, or pages, and is kept for other calls.
  // kInvalid and kNotWritable as above; kFull where there is no such memory.
  Donation Lend(void* p, size_t size, Store* store, LentRange** lent);

  // Makes it nobody's. Nothing in it is in use, or in anybody's cache.
  void TakeBack(LentRange* lent);

  // Calls visit(LentRange) for each, those that are nobody's included.
  template <typename Visit>
  void ForEachLent(Visit visit) const {
    for (const LentRange* lent = lent_.Load(Order::kAcquire); lent != nullptr;
         lent = lent->next.Load(Order::kRelaxed)) {
      visit(*lent);
    }
  }

  // Forgets all of them. Before the store of those is released.
  void ForgetLent();

  // Whether a span of so many units can only be had from beyond what was ever
  // used.
  bool WouldGrow(size_t count) const;

  // What the thread that purges in the background does for a Purge.
  void PurgeInBackground();

  constexpr ForkGeneration& fork_generation() { return fork_generation_; }
  const ForkGeneration& fork_generation() const { return fork_generation_; }

  // What wakes the thread that purges in the background, if there is one.
  Purger<Config::kBackgroundPurge>& purger() { return purger_; }

  // Units in use.
  size_t used() const;

  // Unmaps everything. Nobody may use the region meanwhile; afterwards it is as
  // constructed.
  void Release();

  // What it takes to find the unit of an address in the first range, for a
  // thread to keep beside its cache.
  struct View {
    uintptr_t last = 0;  // the address of the range's last byte
    size_t units = 0;    // 0: there is no range yet
    const uint32_t* class_map = nullptr;
    char* last_descriptor = nullptr;  // of the last unit

    // The place in the class map of the unit that `p` lies in, or a number that
    // is not below `units`.
    ALCOVE_INLINE size_t SlotOf(const void* p) const {
      return (last - AddressOf(p)) >> kUnitShift;
    }
  };
  View PrimaryView() const;

  // The range that holds `p`, or null.
  Range* RangeOf(const void* p) const {
    Range* const first = ranges_[0].Load(Order::kAcquire);
    if (ALCOVE_LIKELY(first != nullptr && first->Contains(p))) return first;
    return LaterRangeOf(p);
  }

  // The span that begins at `start`, in one of the ranges.
  Span SpanAt(const void* start) const {
    Span span;
    span.range = RangeOf(start);
    span.first = span.range->IndexOf(start);
    return span;
  }

  static constexpr unsigned kRangesMax = 48;

  // How many donations there may be: the others' places are for what the system
  // gives.
  static constexpr unsigned kDonationsMax =
      Config::kSystemMemory ? kRangesMax / 2 : kRangesMax;

  // The range added `i`th, or null; for statistics.
  Range* range(unsigned i) const { return ranges_[i].Load(Order::kAcquire); }

 private:
  Range* LaterRangeOf(const void* p) const;
  bool AddRange(unsigned slot, size_t units_needed, size_t room);
  bool ZeroFreed(const Span& span, size_t count, bool dirty);
  void Freed(const Range* range, bool dirty);
  void PurgeBeyondBound();
  Span AllocateDonated(size_t count, size_t alignment_units);

  // Claims of donated memory, and who has which (donate.cc): in their order the
  // region's own, and behind these those of lent ranges.
  template <typename Visit>
  bool ForEachClaim(Visit visit) const;
  bool IsClaimed(uint64_t claim) const;
  bool MeetsRange(const char* begin, size_t size) const;
  enum class Settled { kMine, kTaken, kLater };
  Settled Settle(Atomic<uint64_t>* own, uint64_t claim);
  Atomic<uint64_t>* TakePlace(uint64_t claim);
  LentRange* TakeLent(size_t units, uint64_t claim, Store* store);
  LentRange* NewLent(size_t units, uint64_t claim, Store* store);
  template <typename Take>
  Donation Claim(uint64_t claim, Take take);

  friend struct DescriptorLayout;

  Atomic<Range*> ranges_[kRangesMax] = {};
  Atomic<uint64_t> claims_[kDonationsMax] = {};
  Atomic<LentRange*> lent_;
  Atomic<uint32_t> donations_;         // ranges that were donated
  Atomic<uint64_t> next_purge_ticks_;  // not before this is the clock looked at
  Atomic<uint64_t> last_purge_ms_;
  Atomic<unsigned> doublings_;   // of DirtyBound
  Atomic<size_t> swing_seen_;    // units refilled when it was last regretted
  Atomic<size_t> swing_;         // and the lesser of the last two times
  Atomic<size_t> purged_;        // units purged since these were reviewed
  Atomic<uint64_t> changed_ms_;  // when these last changed
  ForkGeneration fork_generation_;
  [[no_unique_address]] Purger<Config::kBackgroundPurge> purger_{
      &fork_generation_};
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_REGION_H_
