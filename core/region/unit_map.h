// Which units of a range are in use: a bitmap that any number of threads change
// at once, without a lock.
//
// A unit is free, claimed, or claimed by a purge for the moment; one bit,
// `used`, stands for the last two. Whoever sets a bit from 0 owns the unit
// until it clears it, so a claim is one compare-and-swap for each word it
// touches, taken back if a later word fails. A second bit, `dirty`, says that a
// unit may hold memory and is not known to be zero; only the owner of a unit
// changes it, and only where it has to, so that units that are claimed and
// freed time and again cost two atomic operations each way.
//
// Searching is first fit from the lowest address, which keeps the range dense.
// For every run length up to 16 units a hint says where the search may start.
// Hints may be wrong (a free can be missed by a search that passed it), so a
// search that would grow past the highest unit ever used looks again from the
// start if enough free units lie below.
#ifndef ALCOVE_CORE_REGION_UNIT_MAP_H_
#define ALCOVE_CORE_REGION_UNIT_MAP_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"

namespace ALCOVE_CORE_NAMESPACE {

struct UnitWord {
  Atomic<uint64_t> used;
  Atomic<uint64_t> dirty;
  Atomic<uint64_t> noted;
};

class UnitMap {
 public:
  static constexpr size_t kNone = ~size_t{0};

  // `words` is one past the last of the zeroed words of 64 units: the word of the
  // lowest units comes last, so that it can share a page with what lies behind.
  // Those of the last word that there are not count as used for good. `phase` is the number of the first unit, counted from address 0: what
  // alignment is relative to.
  void Init(UnitWord* words, size_t units, size_t phase);

  // Makes it as constructed, with zeroed words, for another Init. Others may look
  // at its counts meanwhile.
  void Clear();

  // Claims `count` >= 1 adjacent units, of which the first has an address that
  // is a multiple of `alignment` units (any number). Returns the first
  // one's index, or kNone. *dirty is the number of units among them that are
  // not known to be zero.
  size_t Claim(size_t count, size_t alignment, size_t* dirty);

  // Claims exactly [first, first + count) if all of it is free.
  bool ClaimAt(size_t first, size_t count, size_t* dirty);

  // Frees claimed units. `dirty`: they may hold memory.
  void Release(size_t first, size_t count, bool dirty);

  // Takes dirty units from *cursor on out of reach of the others: a run of at
  // most `limit`. Moves *cursor behind it. False when there are no more.
  bool BeginPurge(size_t* cursor, size_t limit, size_t* first, size_t* count);

  // Puts a run that BeginPurge took back, clean if the purge worked.
  void EndPurge(size_t first, size_t count, bool clean);

  // Marks a claimed unit, for whoever keeps something beside it that a sweep is
  // to clean up later.
  void Note(size_t unit);

  // Takes groups of `group` units (a power of two up to 64), each free as a
  // whole with a mark in it, out of reach of the others, like BeginPurge; at
  // most `limit` units, a multiple of `group`.
  bool BeginSweep(size_t group, size_t* cursor, size_t limit, size_t* first,
                  size_t* count);

  // Puts them back without marks.
  void EndSweep(size_t first, size_t count);

  bool IsUsed(size_t unit) const {
    return ((Word(unit >> 6).used.Load(Order::kRelaxed) >> (unit & 63)) & 1) !=
           0;
  }

  // How many units are claimed, and how many free ones are dirty.
  struct Counts {
    size_t used;
    size_t dirty;
  };
  Counts counts() const {
    const uint64_t now = counts_.Load(Order::kRelaxed);
    return {now & (kOneDirty - 1), now / kOneDirty};
  }

  // Units that were claimed clean below the top since the last call: most of
  // them held memory that a purge took away.
  size_t TakeRefilled() { return refilled_.Exchange(0, Order::kRelaxed); }

  size_t units() const { return units_; }
  size_t used() const { return counts().used; }
  size_t used_peak() const { return used_peak_.Load(Order::kRelaxed); }
  size_t dirty() const { return counts().dirty; }
  size_t top() const { return top_.Load(Order::kRelaxed); }

 private:
  static constexpr size_t kHints = 16;
  static constexpr uint64_t kOneDirty = uint64_t{1} << 32;
  // The words of the first 128 MiB are in the object, and so on its page.
  static constexpr size_t kNearWords = 32;

  UnitWord& Word(size_t w) const {
    if (w < kNearWords) return near_[w];
    return words_end_[-1 - static_cast<ptrdiff_t>(w)];
  }
  bool IsDirty(size_t unit) const {
    return ((Word(unit >> 6).dirty.Load(Order::kRelaxed) >> (unit & 63)) & 1) !=
           0;
  }
  // Claims the next run, of at most `limit`, of units that candidates(word)
  // names, from *cursor on; moves *cursor behind it.
  template <typename Candidates>
  bool ClaimNext(Candidates candidates, size_t* cursor, size_t limit,
                 size_t* first, size_t* count);
  size_t NextFree(size_t unit) const;
  size_t NextUsed(size_t unit, size_t end) const;
  size_t Find(size_t from, size_t count, size_t alignment) const;
  bool TryClaimBits(size_t first, size_t count);
  void ClearBits(size_t first, size_t count);
  size_t CountDirty(size_t first, size_t count) const;
  void SetDirty(size_t first, size_t count, bool dirty);
  size_t CountClaim(size_t first, size_t count);
  void LowerHints(size_t first);

  friend struct DescriptorLayout;

  UnitWord* words_end_ = nullptr;
  size_t units_ = 0;
  size_t phase_ = 0;
  Atomic<size_t> top_;       // one past the highest unit ever claimed
  Atomic<uint64_t> counts_;  // used units, and kOneDirty for each dirty one
  Atomic<size_t> used_peak_;
  Atomic<size_t> refilled_;
  // hint_[n - 1]: no run of n free units is known to start below.
  alignas(64) Atomic<uint32_t> hint_[kHints];
  mutable UnitWord near_[kNearWords];
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_UNIT_MAP_H_
