// The descriptor of one span: of a slab, cut into blocks of one size class, or
// of one large block. It lies in the range's metadata, at the index of the
// span's first unit; user memory holds nothing of ours. Descriptors are
// type-stable: their memory is never used for anything else, so a late reader
// finds a descriptor, if perhaps of a newer span.
//
// Two cache lines: what the owner alone works with, and what other threads
// touch.
//
// Bits, one for each block: `local` says that the block is available to the
// owner's next refill; `remote`, that another thread freed it since the owner
// last looked. A block with neither is live, or lies in some thread's cache.
// Blocks that were never handed out (from `fresh` on) have neither and count as
// available, so that a slab touches no more of its bits than it needs.
#ifndef ALCOVE_CORE_SLAB_SLAB_H_
#define ALCOVE_CORE_SLAB_SLAB_H_

#include "core/base/atomic.h"
#include "core/base/bits.h"
#include "core/region/region.h"
#include "core/size/size_class.h"
#include "core/slab/class_map.h"

namespace ALCOVE_CORE_NAMESPACE {

// Who refills from slabs, and whom other threads tell that they freed blocks of
// them (heap/remote.h).
class SlabOwner;

using BitWord = uint64_t;
inline constexpr size_t kBitWordsMax = kBlocksMax / 64;  // of either kind
inline constexpr size_t kBitWordsPerUnit = 2 * kBitWordsMax;
inline constexpr unsigned kInlineWords =
    2;  // slabs of up to 128 blocks keep their bits here

// Whether a large block's pages came by MovePages: they are a mapping of their
// own then, to be refreshed when they are freed. What was added in place behind
// them is another, and the system does not move two at once.
enum class Moved : uint8_t { kNo, kWhole, kExtended };

struct alignas(64) Slab {
  // The owner's line.
  char* start;
  Slab* next;  // in the owner's list of slabs that have blocks available
  union {
    Slab* previous;
    // Of a large block, with the knob `canaries`: the bytes that were asked for.
    size_t request;
  };
  BitWord* local;
  uint32_t units;
  uint16_t available;  // blocks with a local bit, never-used ones included
  uint16_t blocks;
  uint16_t hint_word;  // no local bit is set in a word below
  uint16_t fresh;      // blocks from here on were never handed out
  uint8_t size_class;
  bool listed;  // in the list
  bool zero;    // the memory of fresh words reads as zero
  Moved moved;
  BitWord inline_local[kInlineWords];

  // The other threads' line.
  alignas(64) Atomic<SlabOwner*> owner;  // null: not a slab at the moment
  Atomic<Slab*>
      next_pending;  // in the owner's stack of slabs with remote frees
  Atomic<BitWord>* remote;
  Atomic<uint32_t> pending;  // 1: in some heap's stack, or about to be
  uint32_t place;  // of this unit in its slab; its other units' are set too
  Atomic<BitWord> inline_remote[kInlineWords];
  // Of a unit that an arena has or had: the arena's number, and, in a span's first
  // unit, where the arena has the span written down. Of another slab the former is
  // which of its blocks were ever given back in part (heap/parts.h): bit i % 64 is
  // set if block i was.
  union {
    uint64_t arena;
    Atomic<uint64_t> in_parts;
  };
  Atomic<uint64_t>* ledger_slot;

  unsigned words() const { return (blocks + 63u) / 64u; }

  // How many words have blocks that were handed out, and which blocks of word
  // `w` those are.
  unsigned used_words() const { return (fresh + 63u) / 64u; }
  BitWord UsedBits(unsigned w) const {
    const unsigned before = w * 64u;
    if (before >= fresh) return 0;
    return fresh - before >= 64u ? ~BitWord{0} : BitRange(0, fresh - before);
  }
};
static_assert(sizeof(Slab) == kDescriptorBytes);
static_assert(kBitWordsPerUnit * sizeof(BitWord) == kBitBytes);

// Where a block lies: its slab, and its place in it.
struct BlockPlace {
  Slab* slab;
  unsigned index;
  bool is_start;  // the address is the block's first byte
};

// The slab that holds `p`, which lies in a unit of `range` with this map entry.
inline Slab* SlabAt(const Range& range, const void* p, MapEntry entry) {
  const size_t index = range.IndexOf(p);
  auto* const slab = static_cast<Slab*>(range.descriptor(index));
  if (InfoOf(ClassOfEntry(entry)).units == 1) return slab;
  return static_cast<Slab*>(range.descriptor(index - slab->place));
}

inline BlockPlace PlaceOf(Slab* slab, const ClassInfo& info, const void* p) {
  const auto offset =
      static_cast<uint64_t>(static_cast<const char*>(p) - slab->start);
  const auto index =
      static_cast<unsigned>(offset * info.inverse >> kInverseShift);
  return {slab, index,
          index * uint64_t{info.size} == offset && index < slab->blocks};
}

// Whether a block of the slab in whose units `p` lies begins there. Touches the
// descriptor only where a slab has several units.
inline bool IsBlockStart(const Range& range, const ClassInfo& info,
                         const void* p) {
  uint64_t offset = AddressOf(p) % kUnit;
  if (info.units != 1) {
    const auto* const slab =
        static_cast<const Slab*>(range.descriptor(range.IndexOf(p)));
    offset += uint64_t{slab->place} << kUnitShift;
  }
  const uint64_t index = offset * info.inverse >> kInverseShift;
  return index * info.size == offset && index < info.blocks;
}

// What the memory of a block of a slab holds as long as it is free, where the knob
// `check_invariants` is on; even, so that a bit that was added shows, and no address.
// Where only `zero_on_free` is, 0.
inline constexpr unsigned char kFreeByte = Config::kCheckInvariants ? 0xda : 0;

// Makes a slab of class `c` out of a span and gives it to `owner`; `entry` is
// what the class map gets for its units. All of its blocks are available.
Slab* CreateSlab(const Span& span, SizeClass c, SlabOwner* owner,
                 MapEntry entry);

// Takes a slab out of the class map. All of its blocks are available, and it is
// in no list. The caller frees its units.
void RetireSlab(const Range& range, Slab* slab);

// Takes available blocks of one bitmap word, the lowest ones and at most `limit`
// >= 1, out of a slab with at least one block available.
struct TakenWord {
  BitWord blocks;  // never 0
  char* start;     // of the word's first block
  unsigned count;
  bool zero;  // the blocks' memory reads as zero
};
TakenWord TakeWord(Slab* slab, const ClassInfo& info, unsigned limit = 64);

// With the knob `random_placement`, where all blocks of a slab have bits from the
// beginning: takes the available block that follows the one with this index, or is
// it, or the first one.
TakenWord TakeOne(Slab* slab, unsigned index);

// Takes up to `limit` >= 1 blocks that were never handed out and lie side by
// side, of a slab that has some of those; how many. The first is the one at
// `fresh` as it was before.
unsigned TakeFresh(Slab* slab, const ClassInfo& info, unsigned limit);

// Takes an available block whose address is a multiple of `multiple`, as every
// `step`th block's is. Null if none of these is available.
void* TakeAtMultiple(Slab* slab, const ClassInfo& info, size_t multiple,
                     size_t step);

// Puts the last ones of what TakeFresh took back: those from `index` on.
inline void ReturnFresh(Slab* slab, unsigned index) {
  slab->available =
      static_cast<uint16_t>(slab->available + (slab->fresh - index));
  slab->fresh = static_cast<uint16_t>(index);
}

// Put a slab at the head of its owner's list of slabs of its class, and take it
// out.
inline void ListSlab(Slab** head, Slab* slab) {
  slab->previous = nullptr;
  slab->next = *head;
  if (*head != nullptr) (*head)->previous = slab;
  *head = slab;
  slab->listed = true;
}
inline void UnlistSlab(Slab** head, Slab* slab) {
  if (slab->previous != nullptr) {
    slab->previous->next = slab->next;
  } else {
    *head = slab->next;
  }
  if (slab->next != nullptr) slab->next->previous = slab->previous;
  slab->listed = false;
}

// The descriptor of the unit that an address of the range is in.
inline Slab* DescriptorOf(const Range& range, const void* p) {
  return static_cast<Slab*>(range.descriptor(range.IndexOf(p)));
}

// The descriptor of the slab or run that has that unit, of however many units.
inline Slab* SlabHolding(const Range& range, const void* p) {
  Slab* const unit = DescriptorOf(range, p);
  return unit - unit->place;
}

// Moves what other threads freed to the local bits; returns how many blocks. A
// block that is in both was freed twice: misuse.
unsigned CollectRemote(Slab* slab, const ClassInfo& info);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_SLAB_SLAB_H_
