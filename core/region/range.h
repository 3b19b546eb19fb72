// One address range, reserved or donated, its units, and the metadata of each unit. A
// region has one range to begin with and more when that is full or the system
// would not grant it whole.
//
// Everything about a range lies in one mapping of its own, out of line, found
// by arithmetic from the unit's index and touched only as far as units are
// used. The class map runs backwards, so that what the first units need shares
// a page with a room for the layer above, if there is one:
//
//   unit words | bits -> |         <- class map | room | Range | descriptors ->
//                                        |<-- a page -->|
//
// With the knob `guard_pages` each span is followed by a guard: one unit more that
// is claimed with it and given back with it, and that nobody can access. Units are
// accessible only while they are in a span; whoever claims them makes them so, and
// inaccessible again before he releases them, so that no two threads ever change
// the same units. The first unit of the range is a guard, too.
//
// A donated range is the program's memory: all whole units in it but those that
// their own metadata, which lies before or behind them, takes. It is accessible
// as it is, and nothing is ever asked of the system about it. It may hold
// anything at any time, so that its units count neither as zero nor as dirty.
#ifndef ALCOVE_CORE_REGION_RANGE_H_
#define ALCOVE_CORE_REGION_RANGE_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"
#include "core/region/unit_map.h"
#include "core/size/size_class.h"

namespace ALCOVE_CORE_NAMESPACE {

// What the layer above keeps for each unit; asserted there.
inline constexpr size_t kDescriptorBytes = 128;
inline constexpr size_t kBitBytes = 1024;

// A range has a multiple of so many units: whole words of its unit map.
inline constexpr size_t kRangeGranule = 64 * kUnit;

// Of donated memory whole pages of this size are used, whatever the system's.
inline constexpr size_t kDonationGranule = 4096;

// Which part of donated memory becomes units, and where their metadata is.
struct DonationPlan {
  size_t units = 0;  // 0: it is too small
  char* base = nullptr;
  char* metadata = nullptr;
  size_t metadata_size = 0;
};

class Range;

// The run of units that a purge has out of reach for the moment. Fork in this
// moment, and the child has the units but not the thread that would put them
// back.
struct OpenRun {
  Atomic<Range*> range;  // null: there is none
  Atomic<size_t> first;
  Atomic<size_t> count;

  void Open(Range* in, size_t at, size_t units) {
    first.Store(at, Order::kRelaxed);
    count.Store(units, Order::kRelaxed);
    range.Store(in, Order::kRelease);
  }
  void Close() { range.Store(nullptr, Order::kRelease); }
};

class Range {
 public:
  // Reserves `size` bytes, a multiple of kRangeGranule. Null if the system
  // refuses.
  static Range* Create(size_t size, size_t room = 0);

  // [begin, begin + size) is of whole kDonationGranules.
  static DonationPlan PlanDonation(char* begin, size_t size, size_t room);

  // Makes a range as planned with the same room. The memory is nobody else's.
  static Range* Donate(const DonationPlan& plan, size_t room);

  // What metadata for `units` units takes, and a range with that, which is nobody's;
  // `metadata` is zeroed and stays the range's.
  static size_t LentMetadataSize(size_t units);
  static Range* CreateLent(char* metadata, size_t units);

  // Makes it one of [base, base + units * kUnit), which has no more units than it
  // was created for; all are free.
  void Lend(char* base, size_t units);

  bool donated() const { return donated_; }
  // Whether it is one arena's, in memory that was donated to that.
  bool lent() const { return lent_; }

  // The room, for the first who asks; null for all others.
  void* TakeRoom() { return room_.Exchange(nullptr, Order::kRelaxed); }

  // Unmaps the range and its metadata, this object included; a donated one's stay
  // mapped.
  static void Destroy(Range* range);

  // What Allocate returns where there are units but the system has no memory.
  static constexpr size_t kRefused = UnitMap::kNone - 1;

  // Claims `count` units, the first at a multiple of `alignment` units, and
  // makes them accessible. UnitMap::kNone if there is no such run, or kRefused.
  // *zero: they read as zero.
  size_t Allocate(size_t count, size_t alignment, bool* zero);

  // Claims exactly the free units [first, first + count), to make the span
  // before longer.
  bool Extend(size_t first, size_t count);

  // `dirty` says whether the units may hold memory. A whole span.
  void Free(size_t first, size_t count, bool dirty) {
    if constexpr (Config::kGuardPages) {
      if (!donated_) return FreeGuarded(first, count, dirty);
    }
    units_.Release(first, count, dirty && !donated_);
  }
  // The last units of a span, which goes on without them.
  void FreeTail(size_t first, size_t count, bool dirty) {
    if constexpr (Config::kGuardPages) {
      if (!donated_) return FreeTailGuarded(first, count, dirty);
    }
    Free(first, count, dirty);
  }

  // Units that follow each span of this range and belong to it.
  size_t guard() const { return Config::kGuardPages && !donated_ ? 1 : 0; }
  // Units in use that are guards.
  size_t guards() const { return guards_.Load(Order::kRelaxed); }

  // Returns the memory of all free units to the system, that of their bits
  // included. Returns the bytes of units given back.
  size_t Purge();

  // The same, saying in `open` what is out of reach. Only for the knob
  // `background_purge`.
  size_t Purge(OpenRun* open);

  // Puts a run back that was left open, dirty as before.
  static void PutBack(OpenRun* open);

  size_t TakeRefilled() { return donated_ ? 0 : units_.TakeRefilled(); }

  bool Contains(const void* p) const {
    return AddressOf(p) - AddressOf(base_) < size();
  }
  size_t IndexOf(const void* p) const {
    return (AddressOf(p) - AddressOf(base_)) >> kUnitShift;
  }
  char* AddressOfUnit(size_t index) const {
    return base_ + (index << kUnitShift);
  }

  char* base() const { return base_; }
  size_t size() const { return units_.units() << kUnitShift; }
  // The class map, the last unit's entry first.
  uint32_t* class_map() const { return class_map_; }
  uint32_t* class_map_slot(size_t index) const {
    return class_map_ + (units_.units() - 1 - index);
  }
  void* descriptor(size_t index) const {
    return descriptors_ + index * kDescriptorBytes;
  }
  // The unit's bits, for whoever means to write to them.
  void* bits(size_t index) {
    units_.Note(index);
    return bits_ + index * kBitBytes;
  }
  // The same, for whoever only reads them or makes them zero.
  void* bits_as_they_are(size_t index) const {
    return bits_ + index * kBitBytes;
  }
  // The index of the unit that a descriptor belongs to.
  size_t IndexOfDescriptor(const void* descriptor) const {
    return static_cast<size_t>(static_cast<const char*>(descriptor) -
                               descriptors_) /
           kDescriptorBytes;
  }

  const UnitMap& units() const { return units_; }
  size_t committed() const {
    if (guard() != 0) return (units_.used() - guards()) << kUnitShift;
    return committed_.Load(Order::kRelaxed) << kUnitShift;
  }
  size_t metadata_size() const { return metadata_size_; }

  // Whether it or its metadata has any of these bytes.
  bool Overlaps(const char* begin, size_t size) const {
    return Meet(begin, size, base_, this->size()) ||
           Meet(begin, size, static_cast<const char*>(metadata_),
                metadata_size_);
  }

 private:
  static bool Meet(const char* a, size_t a_size, const char* b, size_t b_size) {
    return AddressOf(a) < AddressOf(b) + b_size &&
           AddressOf(b) < AddressOf(a) + a_size;
  }
  void GuardBegin();
  bool CommitTo(size_t end);
  size_t AllocateGuarded(size_t count, size_t alignment, bool* zero);
  bool ExtendGuarded(size_t first, size_t count);
  void FreeGuarded(size_t first, size_t count, bool dirty);
  void FreeTailGuarded(size_t first, size_t count, bool dirty);
  void CountGuards(size_t more) { guards_.FetchAdd(more, Order::kRelaxed); }
  template <typename Run>
  size_t PurgeRuns(Run* open);

  friend struct DescriptorLayout;  // tells readers of memory what is where

  char* base_ = nullptr;
  uint32_t* class_map_ = nullptr;
  char* descriptors_ = nullptr;
  char* bits_ = nullptr;
  void* metadata_ = nullptr;
  Atomic<void*> room_;
  size_t metadata_size_ = 0;
  bool donated_ = false;
  bool lent_ = false;
  Atomic<size_t> committed_;  // units that are accessible, from the first on
  UnitMap units_;
  Atomic<size_t> guards_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_REGION_RANGE_H_
