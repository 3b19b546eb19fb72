#include "core/region/region.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// Where the system would not grant the reservation asked for, address space is
// scarce: an eighth of what it would grant is a start that leaves room for the
// rest of the process.
constexpr size_t kScarceShare = 8;

// Each range is longer than the one before (`region_growth_percent`), up to this, so
// that few of them hold any amount.
constexpr size_t kGrownMax = size_t{128} << 30;

// There are few places for ranges. What comes in small pieces gets this many of
// them; after that a range has to add this share to what there is, or the last
// place would be taken when the system is generous again.
constexpr unsigned kSmallRangesMax = Region::kRangesMax / 2;
constexpr size_t kWorthShare = 4;

// How much unused memory may lie about. There is nobody who would clean up in a
// program that has fallen silent, so what its last frees leave has to be little
// from the beginning: a constant, or a share of what is in use, since what is
// given back in large steps costs little. Yet memory that is purged and then
// wanted again costs a page fault for each page. So both double whenever most
// of what was purged on their account was wanted again, and halve when little
// was, once some time has passed. When all was wanted again two times running,
// the next time so much may lie about at once: a program that swings between
// little and much pays twice for what it tells us, not time and again.
constexpr size_t kBoundLeast = Config::kPurgeDirtyMin >> kUnitShift;
constexpr size_t kBoundMost = Config::kPurgeDirtyMax >> kUnitShift;
constexpr size_t kDirtyShare = 2;
constexpr unsigned kDoublingsMax = 20;
constexpr size_t kRegretShare = 2;
constexpr size_t kContentShare = 8;
constexpr uint64_t kForgetAfterMs = 1000;

constexpr size_t kGuardUnits = Config::kGuardPages ? 1 : 0;

void LogPurged(size_t bytes) {
  if (const Log<LogLevel::debug> log; log && bytes != 0)
    log.Write(TextLine().Text("purged ").Decimal(bytes).Text(" bytes"));
}

}  // namespace

ALCOVE_COLD Range* Region::LaterRangeOf(const void* p) const {
  for (unsigned i = 1; i < kRangesMax; ++i) {
    Range* const range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) break;
    if (range->Contains(p)) return range;
  }
  for (const LentRange* lent = lent_.Load(Order::kAcquire);
       ALCOVE_UNLIKELY(lent != nullptr);
       lent = lent->next.Load(Order::kRelaxed)) {
    if (lent->Contains(p)) return lent->range;
  }
  return nullptr;
}

ALCOVE_COLD Region::View Region::PrimaryView() const {
  const Range* const first = ranges_[0].Load(Order::kAcquire);
  if (first == nullptr) return {};
  const size_t units = first->units().units();
  return {AddressOf(first->base()) + first->size() - 1, units,
          first->class_map(), static_cast<char*>(first->descriptor(units - 1))};
}

ALCOVE_COLD bool Region::AddRange(unsigned slot, size_t units_needed,
                                  size_t room) {
  if (!Config::kSystemMemory || slot >= kRangesMax ||
      units_needed > (size_t{1} << 47 >> kUnitShift))
    return false;
  size_t least = RoundUp(units_needed << kUnitShift, kRangeGranule);
  if (slot >= kSmallRangesMax) {
    size_t reserved = 0;
    for (unsigned i = 0; i < slot; ++i) reserved += range(i)->size();
    least = Max(least, RoundUp(reserved / kWorthShare, kRangeGranule));
  }
  size_t size = RoundUp(Config::kRegionReserve, kRangeGranule);
  for (unsigned i = 0; i < slot && size < kGrownMax; ++i) {
    if (range(i)->donated()) continue;
    size = RoundUp(size * Config::kRegionGrowthPercent / 100, kRangeGranule);
  }
  size = Max(size, least);
  Range* range = Range::Create(size, room);
  while (range == nullptr && size > least) {
    size = Max(RoundUp(size / 2, kRangeGranule), least);
    range = Range::Create(size, room);
    if (range != nullptr && size > least) {
      const size_t modest =
          Max(RoundUp(size / kScarceShare, kRangeGranule), least);
      Range::Destroy(range);
      range = Range::Create(modest, room);
      break;
    }
  }
  if (range == nullptr) return false;
  Range* expected = nullptr;
  if (!ranges_[slot].CompareExchange(expected, range, Order::kAcqRel)) {
    Range::Destroy(range);  // another thread was faster
  } else if (const Log<LogLevel::info> log; log) {
    TextLine line;
    line.Text("reserved ").Decimal(range->size()).Text(" bytes at ");
    log.Write(line.Address(range->base()).Text(", range ").Decimal(slot + 1));
  }
  return true;
}

ALCOVE_COLD void* Region::TakePages(size_t size) {
  if constexpr (Config::kSystemMemory) {
    return platform::Map(size);
  } else {
    const size_t units = (size + kUnit - 1) >> kUnitShift;
    const Span span = Allocate(units, kUnit);
    if (span.range == nullptr) return nullptr;
    // An arena that is gone may have left its mark there.
    for (size_t i = 0; i < units; ++i) {
      __atomic_store_n(span.range->class_map_slot(span.first + i), 0u,
                       __ATOMIC_RELAXED);
    }
    return memset(span.start(), 0, units << kUnitShift);
  }
}

ALCOVE_COLD void Region::GivePages(void* memory, size_t size) {
  if constexpr (Config::kSystemMemory) {
    platform::Unmap(memory, size);
  } else {
    Free(SpanAt(memory), (size + kUnit - 1) >> kUnitShift, true);
  }
}

ALCOVE_COLD void* Region::TakeRoom(size_t size) {
  if constexpr (!Config::kSystemMemory) {
    for (const Atomic<Range*>& slot : ranges_) {
      Range* const range = slot.Load(Order::kAcquire);
      if (range == nullptr) break;
      if (void* const room = range->TakeRoom(); room != nullptr) return room;
    }
    return nullptr;
  }
  Range* first = ranges_[0].Load(Order::kAcquire);
  if (first == nullptr) {
    if (!AddRange(0, 1, size)) return nullptr;
    first = ranges_[0].Load(Order::kAcquire);
  }
  return first->TakeRoom();
}

Span Region::Allocate(size_t count, size_t alignment) {
  const size_t alignment_units =
      alignment <= kUnit ? 1 : alignment >> kUnitShift;
  bool refused = false;
  if (ALCOVE_UNLIKELY(donations_.Load(Order::kAcquire) != 0)) {
    const Span span = AllocateDonated(count, alignment_units);
    if (span.range != nullptr) return span;
  }
  for (unsigned i = 0; i < kRangesMax; ++i) {
    Range* range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) {
      // Where memory is refused, more address space would not help.
      if (refused) break;
      // With guards the first unit is none of a span, nor is the one behind it.
      if (!AddRange(i, count + alignment_units - 1 + 2 * kGuardUnits, 0)) break;
      range = ranges_[i].Load(Order::kAcquire);
    }
    if (range->donated()) continue;
    Span span;
    span.first = range->Allocate(count, alignment_units, &span.zero);
    if (ALCOVE_LIKELY(span.first < Range::kRefused)) {
      span.range = range;
      return span;
    }
    if (span.first == Range::kRefused) refused = true;
  }
  return Span{};
}

ALCOVE_COLD Span Region::AllocateDonated(size_t count, size_t alignment_units) {
  Span span;
  for (unsigned i = 0; i < kRangesMax; ++i) {
    Range* const range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) break;
    if (!range->donated()) continue;
    span.first = range->Allocate(count, alignment_units, &span.zero);
    if (span.first < Range::kRefused) {
      span.range = range;
      return span;
    }
  }
  return Span{};
}

// Whether the units are dirty still.
ALCOVE_INLINE bool Region::ZeroFreed(const Span& span, size_t count,
                                     bool dirty) {
  if constexpr (Config::kZeroOnFree) {
    const size_t bytes = count << kUnitShift;
    // What is donated stays where it is.
    const bool gone =
        dirty && !span.range->donated() && platform::Purge(span.start(), bytes);
    if (dirty && !gone) memset(span.start(), 0, bytes);
    dirty = dirty && !gone;
  }
  return dirty;
}

ALCOVE_INLINE void Region::Freed([[maybe_unused]] const Range* range,
                                 [[maybe_unused]] bool dirty) {
  MaybePurge();
  if constexpr (Config::kBackgroundPurge) {
    if (dirty && range->units().dirty() != 0) purger_.Note();
  }
}

void Region::Free(const Span& span, size_t count, bool dirty) {
  dirty = ZeroFreed(span, count, dirty);
  span.range->Free(span.first, count, dirty);
  Freed(span.range, dirty);
}

ALCOVE_COLD void Region::FreeTail(const Span& span, size_t count, bool dirty) {
  if constexpr (!Config::kGuardPages) return Free(span, count, dirty);
  dirty = ZeroFreed(span, count, dirty);
  span.range->FreeTail(span.first, count, dirty);
  Freed(span.range, dirty);
}

ALCOVE_COLD size_t Region::Purge() {
  size_t bytes = 0;
  for (unsigned i = 0; i < kRangesMax; ++i) {
    Range* const range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) break;
    bytes += range->Purge();
  }
  LogPurged(bytes);
  return bytes;
}

ALCOVE_COLD void Region::PurgeInBackground() {
  if constexpr (Config::kBackgroundPurge) {
    size_t bytes = 0;
    for (unsigned i = 0; i < kRangesMax; ++i) {
      Range* const range = ranges_[i].Load(Order::kAcquire);
      if (range == nullptr) break;
      bytes += range->Purge(purger_.open_run());
    }
    LogPurged(bytes);
  }
}

size_t Region::DirtyBound(size_t used) const {
  const unsigned doublings = doublings_.Load(Order::kRelaxed);
  const size_t bound = Max(kBoundLeast, used / kDirtyShare) << doublings;
  return Min(Max(bound, swing_.Load(Order::kRelaxed)), kBoundMost);
}

ALCOVE_COLD void Region::PurgeBeyondBound() {
  size_t refilled = 0;
  for (unsigned i = 0; i < kRangesMax; ++i) {
    Range* const range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) break;
    refilled += range->TakeRefilled();
  }
  const size_t purged = purged_.Exchange(0, Order::kRelaxed);
  const unsigned doublings = doublings_.Load(Order::kRelaxed);
  const uint64_t now = platform::Milliseconds();
  if (purged != 0 && refilled >= purged / kRegretShare) {
    if (doublings < kDoublingsMax)
      doublings_.Store(doublings + 1, Order::kRelaxed);
    // The lesser of two swings in a row.
    const size_t seen = swing_seen_.Exchange(refilled, Order::kRelaxed);
    swing_.Store(Min(seen, refilled), Order::kRelaxed);
    changed_ms_.Store(now, Order::kRelaxed);
  } else if (doublings != 0 && refilled <= purged / kContentShare &&
             now - changed_ms_.Load(Order::kRelaxed) >= kForgetAfterMs) {
    doublings_.Store(doublings - 1, Order::kRelaxed);
    swing_seen_.Store(0, Order::kRelaxed);
    swing_.Store(0, Order::kRelaxed);
    changed_ms_.Store(now, Order::kRelaxed);
  }
  purged_.FetchAdd(Purge() >> kUnitShift, Order::kRelaxed);
}

size_t Region::used() const {
  size_t used = 0;
  for (unsigned i = 0; i < kRangesMax; ++i) {
    const Range* const range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) break;
    used += range->units().used();
  }
  return used;
}

bool Region::WouldGrow(size_t count) const {
  for (unsigned i = 0; i < kRangesMax; ++i) {
    const Range* const range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) break;
    // All of a donated range is there already.
    const UnitMap& units = range->units();
    const size_t end = range->donated() ? units.units() : units.top();
    if (end - Min(end, units.used()) >= count + range->guard()) return false;
  }
  return true;
}

void Region::MaybePurge() {
  size_t dirty = 0;
  size_t used = 0;
  for (unsigned i = 0; i < kRangesMax; ++i) {
    Range* const range = ranges_[i].Load(Order::kAcquire);
    if (range == nullptr) break;
    const UnitMap::Counts counts = range->units().counts();
    dirty += counts.dirty;
    used += counts.used;
  }
  if (dirty == 0) return;
  if (dirty > DirtyBound(used)) {
    PurgeBeyondBound();
    return;
  }
  // The tick counter's speed is known only from below, so it says when to ask
  // the clock.
  const uint64_t ticks = platform::Ticks();
  uint64_t next = next_purge_ticks_.Load(Order::kRelaxed);
  if (ALCOVE_LIKELY(ticks < next)) return;
  // Whoever moves the date on is the one to look.
  if (!next_purge_ticks_.CompareExchange(
          next,
          ticks + Config::kPurgeDelayMs * platform::kTicksPerMillisecondMin,
          Order::kRelaxed)) {
    return;
  }
  const uint64_t now = platform::Milliseconds();
  const uint64_t last = last_purge_ms_.Load(Order::kRelaxed);
  const uint64_t passed = now - last;
  if (last != 0 && passed < Config::kPurgeDelayMs) {
    next_purge_ticks_.Store(ticks + (Config::kPurgeDelayMs - passed) *
                                        platform::kTicksPerMillisecondMin,
                            Order::kRelaxed);
    return;
  }
  last_purge_ms_.Store(now, Order::kRelaxed);
  if (last != 0 || Config::kPurgeDelayMs == 0) Purge();
}

ALCOVE_COLD void Region::Release() {
  for (Atomic<Range*>& slot : ranges_) {
    Range* const range = slot.Exchange(nullptr, Order::kAcqRel);
    if (range != nullptr) Range::Destroy(range);
  }
  for (Atomic<uint64_t>& claim : claims_) claim.Store(0, Order::kRelaxed);
  donations_.Store(0, Order::kRelaxed);
  next_purge_ticks_.Store(0, Order::kRelaxed);
  last_purge_ms_.Store(0, Order::kRelaxed);
  doublings_.Store(0, Order::kRelaxed);
  swing_seen_.Store(0, Order::kRelaxed);
  swing_.Store(0, Order::kRelaxed);
  purged_.Store(0, Order::kRelaxed);
  changed_ms_.Store(0, Order::kRelaxed);
  fork_generation_.Release();
}

}  // namespace ALCOVE_CORE_NAMESPACE
