#include "core/slab/slab.h"

#include "core/base/mem.h"
#include "core/hardening/invariant.h"
#include "core/hardening/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {

Slab* CreateSlab(const Span& span, SizeClass c, SlabOwner* owner,
                 MapEntry entry) {
  const ClassInfo& info = InfoOf(c);
  auto* const slab = static_cast<Slab*>(span.range->descriptor(span.first));
  slab->start = span.start();
  slab->next = nullptr;
  slab->previous = nullptr;
  slab->units = info.units;
  slab->available = info.blocks;
  slab->blocks = info.blocks;
  slab->hint_word = 0;
  slab->fresh = 0;
  slab->size_class = static_cast<uint8_t>(c);
  slab->listed = false;
  slab->zero = span.zero;
  slab->moved = Moved::kNo;
  if (info.blocks <= kInlineWords * 64) {
    slab->local = slab->inline_local;
    slab->remote = slab->inline_remote;
  } else {
    auto* const bits = static_cast<BitWord*>(span.range->bits(span.first));
    slab->local = bits;
    slab->remote = reinterpret_cast<Atomic<BitWord>*>(bits + kBitWordsMax);
  }
  if constexpr (Config::kCheckInvariants) {
    memset(slab->start, kFreeByte, size_t{info.units} << kUnitShift);
    slab->zero = false;
    for (unsigned w = 0; w < slab->words(); ++w) {
      ALCOVE_INVARIANT(slab->local[w] == 0);
      ALCOVE_INVARIANT(slab->remote[w].Load(Order::kRelaxed) == 0);
    }
  }
  if constexpr (Config::kCheckFreed && !Config::kCheckInvariants) {
    // Whatever it was donated with.
    if (span.range->donated())
      memset(slab->start, 0, size_t{info.units} << kUnitShift);
  }
  if constexpr (Config::kRandomPlacement) {
    for (unsigned w = 0; w < slab->words(); ++w)
      slab->local[w] =
          BitRange(0, static_cast<unsigned>(Min(64, slab->blocks - w * 64u)));
    slab->fresh = slab->blocks;
    slab->zero = false;
  }
  slab->in_parts.Store(0, Order::kRelaxed);
  for (unsigned i = 0; i < info.units; ++i) {
    static_cast<Slab*>(span.range->descriptor(span.first + i))->place = i;
  }
  // Once the map has it, it is a slab, also for whoever takes over from here.
  KeepOrder();
  EnterSlab(*span.range, span.first, info.units, entry);
  // Sequentially consistent with the announcements of remote frees:
  // core/heap/remote.h.
  slab->owner.Store(owner, Order::kSeqCst);
  return slab;
}

void RetireSlab(const Range& range, Slab* slab) {
  ALCOVE_INVARIANT(slab->available == slab->blocks && !slab->listed);
  EraseUnits(range, range.IndexOf(slab->start), slab->units);
  KeepOrder();
  // The next slab here finds them as it expects.
  memset(slab->local, 0, slab->used_words() * sizeof(BitWord));
  slab->owner.Store(nullptr, Order::kSeqCst);
}

TakenWord TakeWord(Slab* slab, const ClassInfo& info, unsigned limit) {
  const unsigned used_words = slab->used_words();
  unsigned w = slab->hint_word;
  while (w < used_words && slab->local[w] == 0) ++w;
  TakenWord taken;
  if (w < used_words) {
    const BitWord all = slab->local[w];
    BitWord rest = 0;
    if (ALCOVE_UNLIKELY(CountBits(all) > limit)) {
      rest = all;
      for (unsigned i = 0; i < limit; ++i) rest &= rest - 1;
    }
    taken.blocks = all & ~rest;
    slab->local[w] = rest;
    slab->hint_word = static_cast<uint16_t>(rest == 0 ? w + 1 : w);
    taken.zero = false;
  } else {
    w = slab->fresh / 64;
    const unsigned bit = slab->fresh % 64;
    const unsigned left = slab->blocks - slab->fresh;
    const auto count = static_cast<unsigned>(Min(Min(limit, 64 - bit), left));
    ALCOVE_INVARIANT(count != 0);
    taken.blocks = BitRange(bit, count);
    slab->fresh = static_cast<uint16_t>(slab->fresh + count);
    slab->hint_word = static_cast<uint16_t>(slab->fresh / 64);
    taken.zero = slab->zero;
    // A stray free by another thread would come home after the block is out.
    const BitWord stray = slab->remote[w].Load(Order::kRelaxed) & taken.blocks;
    if (ALCOVE_UNLIKELY(stray != 0)) {
      Stop(Misuse::kFreeNeverAllocated,
           slab->start + (size_t{w} * 64 + LowestBit(stray)) * info.size);
    }
  }
  if constexpr (Config::kCheckInvariants) {
    const BitWord twice = slab->remote[w].Load(Order::kRelaxed) & taken.blocks;
    if (twice != 0) {
      Stop(Misuse::kDoubleFree,
           slab->start + (size_t{w} * 64 + LowestBit(twice)) * info.size,
           info.size);
    }
  }
  taken.count = CountBits(taken.blocks);
  ALCOVE_INVARIANT(taken.count != 0 && taken.count <= slab->available);
  slab->available = static_cast<uint16_t>(slab->available - taken.count);
  taken.start = slab->start + size_t{w} * 64 * info.size;
  return taken;
}

TakenWord TakeOne(Slab* slab, unsigned index) {
  TakenWord taken = {};
  if constexpr (Config::kRandomPlacement) {
    unsigned w = index / 64;
    BitWord bits = slab->local[w] & ~BitWord{0} << (index % 64);
    while (bits == 0) {
      w = w + 1 == slab->words() ? 0 : w + 1;
      bits = slab->local[w];
    }
    taken.blocks = bits & (0 - bits);
    taken.count = 1;
    taken.start = slab->start + size_t{w} * 64 * InfoOf(slab->size_class).size;
    slab->local[w] ^= taken.blocks;
    slab->available = static_cast<uint16_t>(slab->available - 1);
  }
  return taken;
}

unsigned TakeFresh(Slab* slab, const ClassInfo& info, unsigned limit) {
  const unsigned first = slab->fresh;
  const unsigned count = Min(limit, unsigned{slab->blocks} - first);
  ALCOVE_INVARIANT(count != 0 && count <= slab->available);
  slab->fresh = static_cast<uint16_t>(first + count);
  slab->available = static_cast<uint16_t>(slab->available - count);
  for (unsigned w = first / 64; w < slab->used_words(); ++w) {
    // As in TakeWord. What is below `first` may come home yet.
    BitWord stray = slab->remote[w].Load(Order::kRelaxed) & slab->UsedBits(w);
    if (ALCOVE_LIKELY(stray == 0)) continue;
    if (w == first / 64) stray = stray >> (first % 64) << (first % 64);
    if (stray == 0) continue;
    Stop(Misuse::kFreeNeverAllocated,
         slab->start + (size_t{w} * 64 + LowestBit(stray)) * info.size);
  }
  return count;
}

// Takes one that was never handed out; those before it count as if they had been.
static void SkipFresh(Slab* slab, const ClassInfo& info, unsigned index) {
  const unsigned first = slab->fresh;
  TakeFresh(slab, info, index - first + 1);
  for (unsigned i = first; i < index; ++i)
    slab->local[i / 64] |= BitWord{1} << (i % 64);
  slab->available = static_cast<uint16_t>(slab->available + (index - first));
  slab->hint_word = static_cast<uint16_t>(Min(slab->hint_word, first / 64));
}

void* TakeAtMultiple(Slab* slab, const ClassInfo& info, size_t multiple,
                     size_t step) {
  size_t rest = AddressOf(slab->start) % multiple;
  const size_t further = info.size % multiple;
  size_t i = 0;
  for (; rest != 0 && i < step; ++i) {
    rest += further;
    if (rest >= multiple) rest -= multiple;
  }
  if (rest != 0) return nullptr;
  for (; i < slab->blocks; i += step) {
    const auto index = static_cast<unsigned>(i);
    BitWord& word = slab->local[index / 64];
    const BitWord bit = BitWord{1} << (index % 64);
    if (index >= slab->fresh) {
      SkipFresh(slab, info, index);
    } else if ((word & bit) != 0) {
      word &= ~bit;
      slab->available = static_cast<uint16_t>(slab->available - 1);
    } else {
      continue;
    }
    return slab->start + i * info.size;
  }
  return nullptr;
}

unsigned CollectRemote(Slab* slab, const ClassInfo& info) {
  unsigned count = 0;
  for (unsigned w = 0; w < slab->used_words(); ++w) {
    // Sequentially consistent with the frees: core/heap/remote.h.
    if (slab->remote[w].Load(Order::kSeqCst) == 0) continue;
    const BitWord freed = slab->remote[w].Exchange(0, Order::kAcquire);
    if (const BitWord never = freed & ~slab->UsedBits(w);
        ALCOVE_UNLIKELY(never != 0)) {
      Stop(Misuse::kFreeNeverAllocated,
           slab->start + (size_t{w} * 64 + LowestBit(never)) * info.size);
    }
    if (const BitWord twice = slab->local[w] & freed;
        ALCOVE_UNLIKELY(twice != 0)) {
      Stop(Misuse::kDoubleFree,
           slab->start + (size_t{w} * 64 + LowestBit(twice)) * info.size,
           info.size);
    }
    slab->local[w] |= freed;
    count += CountBits(freed);
    if (w < slab->hint_word) slab->hint_word = static_cast<uint16_t>(w);
  }
  slab->available = static_cast<uint16_t>(slab->available + count);
  ALCOVE_INVARIANT(slab->available <= slab->blocks);
  return count;
}

}  // namespace ALCOVE_CORE_NAMESPACE
