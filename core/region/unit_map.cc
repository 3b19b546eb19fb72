#include "core/region/unit_map.h"

#include "core/hardening/invariant.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// Calls visit(word index, mask) for each word of [first, first + count), in
// order, until one returns false; returns how many units were visited with
// true.
template <typename Visit>
ALCOVE_INLINE size_t ForEachWord(size_t first, size_t count, Visit visit) {
  size_t done = 0;
  while (done < count) {
    const size_t unit = first + done;
    const auto bit = static_cast<unsigned>(unit & 63);
    const size_t here = Min(64 - bit, count - done);
    if (!visit(unit >> 6, BitRange(bit, static_cast<unsigned>(here)))) break;
    done += here;
  }
  return done;
}

}  // namespace

ALCOVE_COLD void UnitMap::Init(UnitWord* words, size_t units, size_t phase) {
  words_end_ = words;
  units_ = units;
  phase_ = phase;
  if (units % 64 != 0) {
    Word(units >> 6).used.Store(~uint64_t{0} << (units % 64), Order::kRelaxed);
  }
}

ALCOVE_COLD void UnitMap::Clear() {
  for (size_t w = 0; w < (units_ + 63) / 64; ++w) {
    UnitWord& word = Word(w);
    word.used.Store(0, Order::kRelaxed);
    word.dirty.Store(0, Order::kRelaxed);
    word.noted.Store(0, Order::kRelaxed);
  }
  top_.Store(0, Order::kRelaxed);
  counts_.Store(0, Order::kRelaxed);
  used_peak_.Store(0, Order::kRelaxed);
  refilled_.Store(0, Order::kRelaxed);
  for (Atomic<uint32_t>& hint : hint_) hint.Store(0, Order::kRelaxed);
}

size_t UnitMap::NextFree(size_t unit) const {
  while (unit < units_) {
    const uint64_t free =
        ~Word(unit >> 6).used.Load(Order::kRelaxed) >> (unit & 63);
    if (free != 0) return unit + LowestBit(free);
    unit = (unit | 63) + 1;
  }
  return units_;
}

size_t UnitMap::NextUsed(size_t unit, size_t end) const {
  while (unit < end) {
    const uint64_t used =
        Word(unit >> 6).used.Load(Order::kRelaxed) >> (unit & 63);
    if (used != 0) return Min(unit + LowestBit(used), end);
    unit = (unit | 63) + 1;
  }
  return end;
}

size_t UnitMap::Find(size_t from, size_t count, size_t alignment) const {
  size_t unit = from;
  while (unit < units_) {
    unit = NextFree(unit);
    unit = RoundUpToAny(unit + phase_, alignment) - phase_;
    if (unit >= units_ || units_ - unit < count) break;
    const size_t used = NextUsed(unit, unit + count);
    if (used == unit + count) return unit;
    unit = used;
  }
  return kNone;
}

bool UnitMap::TryClaimBits(size_t first, size_t count) {
  const size_t claimed =
      ForEachWord(first, count, [this](size_t w, uint64_t mask) {
        uint64_t now = Word(w).used.Load(Order::kRelaxed);
        do {
          if ((now & mask) != 0) return false;
        } while (
            !Word(w).used.CompareExchange(now, now | mask, Order::kAcquire));
        return true;
      });
  if (claimed == count) return true;
  if (claimed != 0) ClearBits(first, claimed);
  return false;
}

void UnitMap::ClearBits(size_t first, size_t count) {
  ForEachWord(first, count, [this](size_t w, uint64_t mask) {
    [[maybe_unused]] const uint64_t before =
        Word(w).used.FetchAnd(~mask, Order::kRelease);
    ALCOVE_INVARIANT((before & mask) == mask);
    return true;
  });
}

size_t UnitMap::CountDirty(size_t first, size_t count) const {
  size_t dirty = 0;
  ForEachWord(first, count, [this, &dirty](size_t w, uint64_t mask) {
    dirty += CountBits(Word(w).dirty.Load(Order::kRelaxed) & mask);
    return true;
  });
  return dirty;
}

void UnitMap::SetDirty(size_t first, size_t count, bool dirty) {
  ForEachWord(first, count, [this, dirty](size_t w, uint64_t mask) {
    Atomic<uint64_t>& bits = Word(w).dirty;
    const uint64_t now = bits.Load(Order::kRelaxed) & mask;
    if (dirty && now != mask) {
      bits.FetchOr(mask, Order::kRelaxed);
    } else if (!dirty && now != 0) {
      bits.FetchAnd(~mask, Order::kRelaxed);
    }
    return true;
  });
}

// Returns how many of the units are dirty.
size_t UnitMap::CountClaim(size_t first, size_t count) {
  const size_t dirty = CountDirty(first, count);
  const uint64_t before =
      counts_.FetchAdd(count - dirty * kOneDirty, Order::kRelaxed);
  used_peak_.RaiseTo((before & (kOneDirty - 1)) + count, Order::kRelaxed);
  if (first + count > top_.Load(Order::kRelaxed)) {
    top_.RaiseTo(first + count, Order::kRelaxed);
  } else if (ALCOVE_UNLIKELY(dirty != count)) {
    refilled_.FetchAdd(count - dirty, Order::kRelaxed);
  }
  return dirty;
}

void UnitMap::LowerHints(size_t first) {
  for (size_t i = 0; i < kHints; ++i) {
    // A run of i + 1 units that the freed one completes starts at most i units
    // before it.
    const auto start = static_cast<uint32_t>(first > i ? first - i : 0);
    if (hint_[i].Load(Order::kRelaxed) > start)
      hint_[i].LowerTo(start, Order::kRelaxed);
  }
}

size_t UnitMap::Claim(size_t count, size_t alignment, size_t* dirty) {
  // Longer runs start their search where any free unit may be.
  Atomic<uint32_t>& hint = hint_[count <= kHints ? count - 1 : 0];
  uint32_t start = hint.Load(Order::kRelaxed);
  size_t from = start;
  bool from_start = start == 0;
  for (;;) {
    const size_t first = Find(from, count, alignment);
    const size_t top = top_.Load(Order::kRelaxed);
    const bool grows = first == kNone || first + count > top;
    if (grows && !from_start && top - Min(top, used()) >= count) {
      from_start = true;
      from = 0;
      continue;
    }
    if (first == kNone) return kNone;
    if (!TryClaimBits(first, count)) {
      from = first;
      continue;
    }
    *dirty = CountClaim(first, count);
    // A hint that is a little too low costs less than to raise it and have the
    // next free lower it again.
    if (count <= kHints && alignment == 1 && first > start + kHints) {
      hint.CompareExchange(start, static_cast<uint32_t>(first),
                           Order::kRelaxed);
    }
    return first;
  }
}

bool UnitMap::ClaimAt(size_t first, size_t count, size_t* dirty) {
  if (first > units_ || units_ - first < count || !TryClaimBits(first, count))
    return false;
  *dirty = CountClaim(first, count);
  return true;
}

void UnitMap::Release(size_t first, size_t count, bool dirty) {
  SetDirty(first, count, dirty);
  counts_.FetchAdd((dirty ? count * kOneDirty : 0) - count, Order::kRelaxed);
  ClearBits(first, count);
  LowerHints(first);
}

void UnitMap::Note(size_t unit) {
  Atomic<uint64_t>& bits = Word(unit >> 6).noted;
  const uint64_t bit = uint64_t{1} << (unit & 63);
  if ((bits.Load(Order::kRelaxed) & bit) == 0)
    bits.FetchOr(bit, Order::kRelaxed);
}

ALCOVE_COLD bool UnitMap::BeginSweep(size_t group, size_t* cursor, size_t limit,
                                     size_t* first, size_t* count) {
  // One bit for each group: whether all of it is free and some of it noted.
  const auto groups = [group](const UnitWord& word) {
    uint64_t free = ~word.used.Load(Order::kRelaxed);
    uint64_t noted = word.noted.Load(Order::kRelaxed);
    if (noted == 0) return noted;
    for (size_t step = 1; step < group; step *= 2) {
      free &= free >> step;
      noted |= noted >> step;
    }
    const uint64_t whole = group < 64 ? (uint64_t{1} << group) - 1 : ~0ull;
    return (free & noted & ~uint64_t{0} / whole) * whole;
  };
  return ClaimNext(groups, cursor, limit, first, count);
}

ALCOVE_COLD void UnitMap::EndSweep(size_t first, size_t count) {
  ForEachWord(first, count, [this](size_t w, uint64_t mask) {
    Word(w).noted.FetchAnd(~mask, Order::kRelaxed);
    return true;
  });
  ClearBits(first, count);
  LowerHints(first);
}

template <typename Candidates>
ALCOVE_COLD bool UnitMap::ClaimNext(Candidates candidates, size_t* cursor,
                                    size_t limit, size_t* first,
                                    size_t* count) {
  const size_t end = top_.Load(Order::kRelaxed);
  size_t unit = *cursor;
  while (unit < end) {
    const uint64_t rest = candidates(Word(unit >> 6)) >> (unit & 63);
    if (rest == 0) {
      unit = (unit | 63) + 1;
      continue;
    }
    unit += LowestBit(rest);
    // Take the run word by word for as long as it is whole and nobody is
    // faster.
    size_t taken = 0;
    while (taken < limit && unit + taken < end) {
      const size_t at = unit + taken;
      UnitWord& here = Word(at >> 6);
      const auto bit = static_cast<unsigned>(at & 63);
      const uint64_t gap = ~(candidates(here) >> bit);
      const size_t run = Min(gap == 0 ? 64 : LowestBit(gap), 64 - bit);
      const size_t n = Min(run, limit - taken);
      if (n == 0 || !TryClaimBits(at, n)) break;
      taken += n;
      if (bit + n < 64) break;
    }
    if (taken == 0) {
      ++unit;
      continue;
    }
    *first = unit;
    *count = taken;
    *cursor = unit + taken;
    return true;
  }
  *cursor = unit;
  return false;
}

ALCOVE_COLD bool UnitMap::BeginPurge(size_t* cursor, size_t limit,
                                     size_t* first, size_t* count) {
  const auto idle = [](const UnitWord& word) {
    return word.dirty.Load(Order::kRelaxed) & ~word.used.Load(Order::kRelaxed);
  };
  while (ClaimNext(idle, cursor, limit, first, count)) {
    // Between the look and the claim units can have been claimed, cleaned and
    // freed; those are left alone.
    size_t dirty = 0;
    while (dirty < *count && IsDirty(*first + dirty)) ++dirty;
    if (dirty < *count) {
      ClearBits(*first + dirty, *count - dirty);
      *cursor = *first + dirty + 1;
      *count = dirty;
    }
    if (dirty != 0) return true;
  }
  return false;
}

ALCOVE_COLD void UnitMap::EndPurge(size_t first, size_t count, bool clean) {
  if (clean) {
    SetDirty(first, count, false);
    counts_.FetchSub(count * kOneDirty, Order::kRelaxed);
  }
  ClearBits(first, count);
  LowerHints(first);
}

}  // namespace ALCOVE_CORE_NAMESPACE
