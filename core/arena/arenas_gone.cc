// What is known of arenas that are gone: their names, and the units that are
// kept out of use for their sake; and what a use of them says.
#include "core/arena/arenas.h"
#include "core/base/line.h"
#include "core/base/mem.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {

// ---- Quarantine ----

void Arenas::Leave(const Span& span, size_t units, bool dirty) {
  Region& region = instance()->region;
  if constexpr (Config::kArenaQuarantine == 0) {
    region.Free(span, units, dirty);
  } else {
    // What was donated to the arena ends with it.
    if (span.range->lent()) return region.Free(span, units, dirty);
    if (dirty && !span.range->donated() &&
        !platform::Purge(span.start(), units << kUnitShift)) {
      region.Free(span, units, true);
      return;
    }
    if (Config::kGuardPages && !span.range->donated())
      platform::Protect(span.start(), units << kUnitShift);
    const uint64_t turn = quarantined_.FetchAdd(1, Order::kRelaxed);
    const LedgerEntry oldest(
        quarantine()[turn % Max(Config::kArenaQuarantine, 1)].Exchange(
            LedgerEntry::Of(span.start(), units), Order::kAcqRel));
    if (oldest.units() == 0) return;
    const Span released = region.SpanAt(oldest.start());
    region.Free(released, oldest.units(), false);
  }
}

ALCOVE_COLD bool Arenas::ReleaseQuarantine() {
  bool any = false;
  for (size_t i = 0; i < Config::kArenaQuarantine; ++i) {
    const LedgerEntry entry(quarantine()[i].Exchange(0, Order::kAcqRel));
    if (entry.units() == 0) continue;
    const Span span = instance()->region.SpanAt(entry.start());
    instance()->region.Free(span, entry.units(), false);
    any = true;
  }
  return any;
}

Atomic<uint64_t>* Arenas::quarantine() const {
  return reinterpret_cast<Atomic<uint64_t>*>(graves() + kGraves);
}

// ---- Stops ----

Arenas::Grave* Arenas::graves() const {
  return reinterpret_cast<Grave*>(table_.Load(Order::kAcquire) + kPlacesMax +
                                  1);
}

ALCOVE_COLD void Arenas::NameOf(uint64_t number, HeapNumber place,
                                char* name) const {
  uint64_t words[kArenaNameWords] = {};
  const Table* const table = table_.Load(Order::kAcquire);
  const Arena* const arena = Find(place);
  const Atomic<uint64_t>* from = nullptr;
  if (arena != nullptr && arena->number.Load(Order::kRelaxed) == number) {
    from = arena->name;
  } else if (table != nullptr && graves()[number % kGraves].number.Load(
                                     Order::kAcquire) == number) {
    from = graves()[number % kGraves].name;
  }
  const bool named = from != nullptr && from[0].Load(Order::kRelaxed) != 0;
  for (size_t i = 0; named && i < kArenaNameWords; ++i)
    words[i] = from[i].Load(Order::kRelaxed);
  memcpy(name, words, kArenaNameBytes);
  name[kArenaNameBytes - 1] = '\0';
}

ALCOVE_COLD void Arenas::Name(TextLine* line, uint64_t number,
                              HeapNumber place) const {
  char name[kArenaNameBytes];
  NameOf(number, place, name);
  line->Text("arena ").Decimal(number);
  if (name[0] != '\0') line->Text(" (").Text(name).Text(")");
}

ALCOVE_COLD void Arenas::StopGone(ArenaHandle handle) const {
  const uint64_t number = handle >> kArenaPlaceBits;
  const unsigned place = PlaceOfHandle(handle);
  TextLine line;
  // Numbers are given in batches, so some below the next are nobody's yet; a
  // handle that is made up so well is said to be gone.
  if (number == 0 || place == 0 ||
      number > next_number_.Load(Order::kRelaxed)) {
    line.Text("use of an arena that never was, ")
        .Address(reinterpret_cast<const void*>(handle));
    line.Stop();
  }
  line.Text("use of ");
  Name(&line, number, static_cast<HeapNumber>(place));
  line.Text(", which is gone").Stop();
}

ALCOVE_COLD void Arenas::StopGone(const char* what, const void* address,
                                  const Range& range) const {
  const size_t index = range.IndexOf(address);
  const auto* const unit = static_cast<const Slab*>(range.descriptor(index));
  TextLine line;
  line.Text(what).Text(" ").Address(address).Text(", a block of ");
  Name(&line, unit->arena, HeapOfEntry(EntryOf(range, index)));
  line.Text(", which is gone").Stop();
}

}  // namespace ALCOVE_CORE_NAMESPACE
