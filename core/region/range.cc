#include "core/region/range.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/new.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// How many units a purge takes out of reach at a time: while the system works
// on them, the other threads have to do without.
constexpr size_t kPurgeRun = 64;

// Ranges begin where a transparent huge page can.
constexpr size_t kRangeAlignment = size_t{2} << 20;

// The class map of the first 128 units (8 MiB) and more is in one page with what
// comes behind it.
constexpr size_t kPage = 4096;
constexpr size_t kMapShare = 512;

// What the metadata of a donated range has where, counted from its beginning.
struct DonatedLayout {
  DonatedLayout(size_t units, size_t room)
      : words_end(RoundUp((units + 63) / 64 * sizeof(UnitWord), 64)),
        class_map(words_end + units * kBitBytes),
        range(RoundUp(class_map + units * sizeof(uint32_t), 64)),
        descriptors(RoundUp(range + sizeof(Range), 64)),
        room(descriptors + units * kDescriptorBytes),
        size(RoundUp(this->room + room, 64)) {}

  size_t words_end;  // the bits follow
  size_t class_map;
  size_t range;
  size_t descriptors;
  size_t room;
  size_t size;
};

// Instead of an OpenRun where nobody needs to know.
struct Untold {
  void Open(Range*, size_t, size_t) {}
  void Close() {}
};

}  // namespace

ALCOVE_COLD Range* Range::Create(size_t size, size_t room) {
  const size_t units = size >> kUnitShift;
  const size_t map_bytes = units * sizeof(uint32_t);
  char* const base =
      static_cast<char*>(platform::Reserve(size, kRangeAlignment));
  if (base == nullptr) return nullptr;
  // Offsets in the metadata.
  const size_t page = Max(platform::PageSize(), kPage);
  const size_t bits_at = RoundUp(units / 64 * sizeof(UnitWord), page);
  const size_t room_at =
      RoundUp(bits_at + units * kBitBytes + map_bytes, page) + kMapShare +
      ColourOf(AddressOf(base));
  const size_t class_map_at = room_at - map_bytes;
  const size_t range_at = room == 0 ? room_at : RoundUp(room_at + room, page);
  const size_t descriptors_at = RoundUp(range_at + sizeof(Range), 64);
  const size_t metadata_size =
      RoundUp(descriptors_at + units * kDescriptorBytes, page);

  char* const metadata = static_cast<char*>(platform::Map(metadata_size));
  if (metadata == nullptr) {
    platform::Unmap(base, size);
    return nullptr;
  }
  Range* const range = Construct<Range>(metadata + range_at);
  range->base_ = base;
  range->class_map_ = reinterpret_cast<uint32_t*>(metadata + class_map_at);
  range->descriptors_ = metadata + descriptors_at;
  range->bits_ = metadata + bits_at;
  range->metadata_ = metadata;
  range->room_.Store(room == 0 ? nullptr : metadata + room_at, Order::kRelaxed);
  range->metadata_size_ = metadata_size;
  range->units_.Init(reinterpret_cast<UnitWord*>(metadata + bits_at), units,
                     AddressOf(base) >> kUnitShift);
  range->GuardBegin();
  return range;
}

ALCOVE_COLD DonationPlan Range::PlanDonation(char* begin, size_t size,
                                             size_t room) {
  DonationPlan plan;
  uintptr_t first = RoundUp(AddressOf(begin), kUnit);
  const uintptr_t end = AddressOf(begin) + size;
  uintptr_t last = RoundDown(end, kUnit);
  // Units go, from the side where fewer bytes are lost, until one of the sides
  // has place for what the others need.
  while (first < last) {
    const size_t units = (last - first) >> kUnitShift;
    const size_t head = first - AddressOf(begin);
    const size_t tail = end - last;
    const size_t needed = DonatedLayout(units, room).size;
    if (needed <= Max(head, tail)) {
      plan.units = units;
      plan.base = begin + head;
      plan.metadata =
          needed <= tail ? begin + (last - AddressOf(begin)) : begin;
      plan.metadata_size = needed;
      break;
    }
    if (head >= tail) {
      first += kUnit;
    } else {
      last -= kUnit;
    }
  }
  return plan;
}

ALCOVE_COLD Range* Range::Donate(const DonationPlan& plan, size_t room) {
  const DonatedLayout layout(plan.units, room);
  char* const metadata = plan.metadata;
  memset(metadata, 0, plan.metadata_size);
  Range* const range = Construct<Range>(metadata + layout.range);
  range->donated_ = true;
  range->base_ = plan.base;
  range->class_map_ = reinterpret_cast<uint32_t*>(metadata + layout.class_map);
  range->descriptors_ = metadata + layout.descriptors;
  range->bits_ = metadata + layout.words_end;
  range->metadata_ = metadata;
  range->metadata_size_ = plan.metadata_size;
  range->room_.Store(room == 0 ? nullptr : metadata + layout.room,
                     Order::kRelaxed);
  range->committed_.Store(plan.units, Order::kRelaxed);
  range->units_.Init(reinterpret_cast<UnitWord*>(metadata + layout.words_end),
                     plan.units, AddressOf(plan.base) >> kUnitShift);
  return range;
}

ALCOVE_COLD size_t Range::LentMetadataSize(size_t units) {
  return DonatedLayout(units, 0).size;
}

ALCOVE_COLD Range* Range::CreateLent(char* metadata, size_t units) {
  const DonatedLayout layout(units, 0);
  Range* const range = Construct<Range>(metadata + layout.range);
  range->donated_ = true;
  range->lent_ = true;
  range->class_map_ = reinterpret_cast<uint32_t*>(metadata + layout.class_map);
  range->descriptors_ = metadata + layout.descriptors;
  range->bits_ = metadata + layout.words_end;
  range->metadata_ = metadata;
  range->metadata_size_ = layout.size;
  return range;
}

ALCOVE_COLD void Range::Lend(char* base, size_t units) {
  // Bits of free units are zero, and descriptors say what they did; only marks of
  // an arena that is gone may be left.
  for (size_t i = 0; i < units_.units(); ++i)
    __atomic_store_n(class_map_slot(i), 0u, __ATOMIC_RELAXED);
  units_.Clear();
  base_ = base;
  committed_.Store(units, Order::kRelaxed);
  units_.Init(reinterpret_cast<UnitWord*>(bits_), units,
              AddressOf(base) >> kUnitShift);
}

ALCOVE_COLD void Range::Destroy(Range* range) {
  if (range->donated_) return;
  platform::Unmap(range->base_, range->size());
  platform::Unmap(range->metadata_, range->metadata_size_);
}

bool Range::CommitTo(size_t end) {
  const size_t committed = committed_.Load(Order::kAcquire);
  if (ALCOVE_LIKELY(end <= committed)) return true;
  // Two threads may both commit the same units, which is harmless: a unit
  // counts as committed only once a commit that covers it and all before it has
  // succeeded.
  const size_t chunk = Config::kCommitChunk >> kUnitShift;
  const size_t generous =
      Min((end + chunk - 1) / chunk * chunk, units_.units());
  const size_t targets[] = {generous, end};
  for (const size_t target : targets) {
    if (platform::Commit(AddressOfUnit(committed), (target - committed)
                                                       << kUnitShift)) {
      committed_.RaiseTo(target, Order::kRelease);
      if (const Log<LogLevel::debug> log; log) {
        TextLine line;
        line.Text("committed ").Decimal((target - committed) << kUnitShift);
        log.Write(line.Text(" bytes at ").Address(AddressOfUnit(committed)));
      }
      return true;
    }
  }
  return false;
}

size_t Range::Allocate(size_t count, size_t alignment, bool* zero) {
  if constexpr (Config::kGuardPages) {
    if (!donated_) return AllocateGuarded(count, alignment, zero);
  }
  size_t dirty;
  const size_t first = units_.Claim(count, alignment, &dirty);
  if (first == UnitMap::kNone) return first;
  if (ALCOVE_UNLIKELY(!CommitTo(first + count))) {
    units_.Release(first, count, dirty != 0);
    return kRefused;
  }
  *zero = dirty == 0 && !donated_;
  return first;
}

bool Range::Extend(size_t first, size_t count) {
  if constexpr (Config::kGuardPages) {
    if (!donated_) return ExtendGuarded(first, count);
  }
  size_t dirty;
  if (!units_.ClaimAt(first, count, &dirty)) return false;
  if (ALCOVE_UNLIKELY(!CommitTo(first + count))) {
    units_.Release(first, count, dirty != 0);
    return false;
  }
  return true;
}

template <typename Run>
ALCOVE_INLINE size_t Range::PurgeRuns(Run* open) {
  if (donated_) return 0;
  size_t bytes = 0;
  size_t cursor = 0;
  size_t first;
  size_t count;
  while (units_.BeginPurge(&cursor, kPurgeRun, &first, &count)) {
    open->Open(this, first, count);
    const bool clean =
        platform::Purge(AddressOfUnit(first), count << kUnitShift);
    open->Close();
    units_.EndPurge(first, count, clean);
    if (clean) bytes += count << kUnitShift;
  }
  // The bits of free units are zero, so that it makes no difference to them.
  cursor = 0;
  const size_t group = Max(platform::PageSize() / kBitBytes, 1);
  while (units_.BeginSweep(group, &cursor, kPurgeRun, &first, &count)) {
    open->Open(this, first, count);
    char* const bits = bits_ + first * kBitBytes;
    if (!platform::Purge(bits, count * kBitBytes))
      memset(bits, 0, count * kBitBytes);
    open->Close();
    units_.EndSweep(first, count);
  }
  return bytes;
}

ALCOVE_COLD size_t Range::Purge() {
  Untold untold;
  return PurgeRuns(&untold);
}

ALCOVE_COLD size_t Range::Purge([[maybe_unused]] OpenRun* open) {
  if constexpr (Config::kBackgroundPurge) return PurgeRuns(open);
  return 0;
}

ALCOVE_COLD void Range::PutBack([[maybe_unused]] OpenRun* open) {
  if constexpr (Config::kBackgroundPurge) {
    Range* const range = open->range.Load(Order::kAcquire);
    if (range == nullptr) return;
    open->Close();
    range->units_.EndPurge(open->first.Load(Order::kRelaxed),
                           open->count.Load(Order::kRelaxed), false);
  }
}

}  // namespace ALCOVE_CORE_NAMESPACE
