// Size classes: which sizes share a slab.
//
// Class 0 is no class. Class 1 is for up to 8 bytes; then come multiples of 16
// up to 64, and from there four classes for each doubling (80, 96, 112, 128,
// 160, ...), so that at most a fifth of a block is rounding: 8 for each
// doubling saved 3% of memory on a million mixed objects and nothing over
// sixteen programs. Classes reach up to one unit, kSlabMax. Larger blocks are
// spans of whole units: `span` classes, which thread caches hold, for 2 to
// kExactUnitsMax units, and from there four for each doubling up to
// kSpanUnitsMax (what is rounded there is address space; pages that nobody
// touches are no memory); and kHugeClass for any longer one.
//
// Every class of 16 bytes and more is a multiple of 16, which gives the
// alignment that the x86-64 ABI asks of malloc; a block of at most 8 bytes can
// hold no object that needs more than 8.
#ifndef ALCOVE_CORE_SIZE_SIZE_CLASS_H_
#define ALCOVE_CORE_SIZE_SIZE_CLASS_H_

#include "core/base/bits.h"
#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

inline constexpr unsigned kUnitShift = 16;
inline constexpr size_t kUnit = size_t{1}
                                << kUnitShift;  // 32 to 256 KiB measured alike

// The largest size that a slab serves.
inline constexpr size_t kSlabMax = kUnit;

// Slabs of blocks up to kSmallMax take one unit, those of larger ones
// kMediumUnits, so that a slab holds at least 8 blocks and wastes at most an
// eighth at its end.
inline constexpr size_t kSmallMax = kUnit / 8;
inline constexpr unsigned kMediumUnits = 8;

// Spans up to kSpanUnitsMax units have a class, up to kExactUnitsMax one for
// each length.
inline constexpr unsigned kExactUnitsMax = 16;
inline constexpr unsigned kSpanUnitsMax = 512;

// The largest request: no process has more address space (47 bits on x86-64).
inline constexpr size_t kRequestMax = size_t{1} << 47;

using SizeClass = uint32_t;

// A thread's cache has 64 bytes for each class; tables that are read on the
// fast path hold a class as the offset of these.
inline constexpr unsigned kBinShift = 6;

namespace internal {

// The class of a size in 1..kSlabMax.
constexpr SizeClass ComputeClass(size_t size) {
  if (size <= 8) return 1;
  if (size <= 64) return static_cast<SizeClass>(1 + (size + 15) / 16);
  const unsigned log = HighestBit(size - 1);  // size is in (2^log, 2^(log+1)]
  const auto quarter = static_cast<unsigned>((size - 1) >> (log - 2)) & 3;
  return 6 + (log - 6) * 4 + quarter;
}

// The largest size of a class in 1..kSlabClasses.
constexpr size_t ComputeSize(SizeClass c) {
  if (c == 1) return 8;
  if (c <= 5) return 16 * (size_t{c} - 1);
  const unsigned log = (c - 6) / 4 + 6;
  const unsigned quarter = (c - 6) % 4;
  return (size_t{1} << log) + (size_t{quarter + 1} << (log - 2));
}

}  // namespace internal

inline constexpr SizeClass kSlabClasses =
    internal::ComputeClass(kSlabMax);  // 1..this
inline constexpr SizeClass kSpanClasses =
    kExactUnitsMax - 1 +
    4 * (HighestBit(kSpanUnitsMax) - HighestBit(kExactUnitsMax));
inline constexpr SizeClass kCachedClasses = kSlabClasses + kSpanClasses;
inline constexpr SizeClass kHugeClass = kCachedClasses + 1;
inline constexpr SizeClass kInteriorClass =
    kHugeClass + 1;  // a span's units but the first
inline constexpr SizeClass kShelvedClass =
    kInteriorClass + 1;  // a free span that a thread caches
// In no map: the bins of spans that were slabs, of kMediumUnits and of one unit.
inline constexpr SizeClass kSlabSpanClass = kShelvedClass + 1;
inline constexpr SizeClass kUnitSpanClass = kSlabSpanClass + 1;
// A unit of an arena (core/arena), and one of an arena that is gone.
inline constexpr SizeClass kArenaClass = kUnitSpanClass + 1;
inline constexpr SizeClass kGoneClass = kArenaClass + 1;
// The first unit of a large block that was given back in part (heap/parts.h), and
// every unit of a slab that has or had such a block.
inline constexpr SizeClass kPartsClass = kGoneClass + 1;
inline constexpr SizeClass kPartsSlabClass = kPartsClass + 1;
inline constexpr SizeClass kClassLimit = kPartsSlabClass + 1;
static_assert(kClassLimit <= 256, "the class map keeps a class in 8 bits");

// What the core asks of a slab class. `inverse` is ceil(2^36 / size): offset *
// inverse >> 36 is offset / size, exactly, for every offset in a slab (checked
// below).
struct ClassInfo {
  uint64_t inverse;
  uint32_t size;
  uint16_t blocks;
  uint16_t units;
};

inline constexpr unsigned kInverseShift = 36;

// No slab has more blocks, so that its bitmaps stay small: 8-byte blocks use
// half of their unit, which costs address space, not memory.
inline constexpr size_t kBlocksMax = kUnit / 16;

namespace internal {

struct ClassTable {
  ClassInfo info[kSlabClasses + 1];
};

constexpr ClassTable MakeClassTable() {
  ClassTable table{};
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    const size_t size = ComputeSize(c);
    const size_t units = size <= kSmallMax ? 1 : kMediumUnits;
    table.info[c] = {
        ((uint64_t{1} << kInverseShift) + size - 1) / size,
        static_cast<uint32_t>(size),
        static_cast<uint16_t>(Min(units * kUnit / size, kBlocksMax)),
        static_cast<uint16_t>(units)};
  }
  return table;
}

// Sizes up to kLookupMax are looked up, in steps of 8.
inline constexpr size_t kLookupMax = 1024;
struct LookupTable {
  uint16_t bin_offset[kLookupMax / 8 + 1];
};

constexpr LookupTable MakeLookupTable() {
  LookupTable table{};
  for (size_t i = 0; i <= kLookupMax / 8; ++i) {
    table.bin_offset[i] =
        static_cast<uint16_t>(ComputeClass(i == 0 ? 1 : i * 8) << kBinShift);
  }
  return table;
}

// One object each for the whole instance; an inline variable would be a weak
// symbol.
extern ALCOVE_HIDDEN const ClassTable kClassTable;
extern ALCOVE_HIDDEN const LookupTable kLookupTable;

constexpr bool ClassesAreConsistent() {
  const ClassTable table = MakeClassTable();
  for (SizeClass c = 1; c <= kSlabClasses; ++c) {
    const ClassInfo& info = table.info[c];
    if (ComputeClass(info.size) != c || ComputeClass(info.size - 7) != c)
      return false;
    if (c > 1 &&
        (info.size % 16 != 0 || ComputeClass(ComputeSize(c - 1) + 1) != c))
      return false;
    if (info.blocks > kBlocksMax) return false;
    // offset * inverse == offset / size * 2^36 + offset * error / size with
    // error < size; the quotient is exact while offset * error stays below
    // 2^36.
    const uint64_t error =
        info.inverse * info.size - (uint64_t{1} << kInverseShift);
    if (error * (info.units * kUnit) >= (uint64_t{1} << kInverseShift))
      return false;
  }
  return ComputeSize(kSlabClasses) == kSlabMax;
}
static_assert(ClassesAreConsistent());

}  // namespace internal

inline const ClassInfo& InfoOf(SizeClass c) {
  return internal::kClassTable.info[c];
}

// The class of a size in 0..kLookupMax.
inline constexpr size_t kLookupMax = internal::kLookupMax;
ALCOVE_INLINE size_t LookupBinOffset(size_t size) {
  return internal::kLookupTable.bin_offset[(size + 7) >> 3];
}
ALCOVE_INLINE SizeClass LookupClass(size_t size) {
  return static_cast<SizeClass>(LookupBinOffset(size) >> kBinShift);
}

// The class of a size in 0..kSlabMax.
inline SizeClass ClassOfSize(size_t size) {
  return size <= kLookupMax ? LookupClass(size) : internal::ComputeClass(size);
}

constexpr bool IsSlabClass(SizeClass c) { return c - 1 < kSlabClasses; }

// The smallest class of spans of at least `units` >= 2 units.
constexpr SizeClass SpanClass(size_t units) {
  if (units <= kExactUnitsMax) {
    return static_cast<SizeClass>(kSlabClasses + units - 1);
  }
  if (units > kSpanUnitsMax) return kHugeClass;
  const unsigned log = HighestBit(units - 1);
  const auto quarter = static_cast<unsigned>((units - 1) >> (log - 2)) & 3;
  return kSlabClasses + kExactUnitsMax +
         (log - HighestBit(kExactUnitsMax)) * 4 + quarter;
}

// The units of every span of a class below huge.
constexpr unsigned UnitsOfSpanClass(SizeClass c) {
  const unsigned n = c - kSlabClasses;
  if (n < kExactUnitsMax) return n + 1;
  const unsigned step = n - kExactUnitsMax;
  return (kExactUnitsMax + kExactUnitsMax / 4 * (step % 4 + 1)) << (step / 4);
}

// How many units a block of `size` bytes takes, at least 2; size <=
// kRequestMax.
constexpr size_t SpanUnits(size_t size) {
  const size_t units = Max((size + kUnit - 1) >> kUnitShift, 2);
  return units <= kExactUnitsMax || units > kSpanUnitsMax
             ? units
             : UnitsOfSpanClass(SpanClass(units));
}

// The slab class of blocks that serve an alignment in (16, kUnit], or 0 if only
// a span does. Slabs begin at a unit, so the blocks of a class that is a
// multiple of the alignment are aligned. The class of a multiple of the
// alignment is one: either a class begins there, or classes are further apart
// than the alignment.
inline SizeClass AlignedClass(size_t alignment, size_t size) {
  if (size > kSlabMax) return 0;
  size = RoundUp(Max(size, 1), alignment);
  return size <= kSlabMax ? ClassOfSize(size) : 0;
}

// The usable size of a block of `size` bytes; 0 if there can be no such block.
inline size_t GoodSize(size_t size) {
  if (size > kRequestMax) return 0;
  return size <= kSlabMax ? InfoOf(ClassOfSize(size)).size
                          : SpanUnits(size) << kUnitShift;
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_SIZE_SIZE_CLASS_H_
