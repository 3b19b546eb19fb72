// The spans that one thread took for an arena, so that they are found when the
// arena ends.
//
// One thread adds; any thread removes, by one store and one addition. So a
// large block can be freed by whoever likes, and its units be anybody's at
// once.
#ifndef ALCOVE_CORE_ARENA_LEDGER_H_
#define ALCOVE_CORE_ARENA_LEDGER_H_

#include "core/base/atomic.h"
#include "core/region/store.h"
#include "core/size/size_class.h"

namespace ALCOVE_CORE_NAMESPACE {

// A span: the number of its first unit, counted from address 0, above how many
// units it has; and whether it stays written down until the arena ends, so that
// its descriptor may be read meanwhile. 0 is none.
class LedgerEntry {
 public:
  static constexpr uint64_t kStays = uint64_t{1}
                                     << 63;  // addresses have 47 bits

  static uint64_t Of(const void* start, size_t units) {
    return AddressOf(start) >> kUnitShift << 32 | units;
  }
  explicit LedgerEntry(uint64_t word) : word_(word) {}
  char* start() const {
    return reinterpret_cast<char*>((word_ & ~kStays) >> 32 << kUnitShift);
  }
  bool stays() const { return (word_ & kStays) != 0; }
  size_t units() const { return word_ & 0xffffffff; }

 private:
  uint64_t word_;
};

struct alignas(kStoreGranule) LedgerGroup {
  static constexpr unsigned kSlots = 61;

  Atomic<LedgerGroup*> next;
  Atomic<uint32_t> freed;    // slots below `used` that are empty again
  Published<uint32_t> used;  // slots that were filled at some time
  uint64_t unused = 0;
  Atomic<uint64_t> slots[kSlots];
};
static_assert(sizeof(LedgerGroup) == kStoreGranule);

class Ledger {
 public:
  using Slot = Atomic<uint64_t>;

  // A slot to Write a span to, or to Remove if there is none after all. Null if
  // there is no memory.
  Slot* Find(Store* store, Stack<LedgerGroup>* spare) {
    LedgerGroup* group = current_ == nullptr ? &first_ : current_;
    if (Slot* const slot = FindIn(group); ALCOVE_LIKELY(slot != nullptr))
      return slot;
    // Rarely enough for a look at all of them.
    for (group = &first_;;) {
      if (Slot* const slot = FindIn(group); slot != nullptr) {
        current_ = group;
        return slot;
      }
      LedgerGroup* next = group->next.Load(Order::kRelaxed);
      if (next == nullptr) {
        next = NewGroup(store, spare);
        if (next == nullptr) return nullptr;
        group->next.Store(next, Order::kRelease);
      }
      group = next;
    }
  }

  // Writes a span down, or that it changed its length.
  static void Write(Slot* slot, const void* start, size_t units) {
    slot->Store(LedgerEntry::Of(start, units), Order::kRelease);
  }
  // The same for one that stays.
  static void WriteForGood(Slot* slot, const void* start, size_t units) {
    slot->Store(LedgerEntry::Of(start, units) | LedgerEntry::kStays,
                Order::kRelease);
  }

  // Strikes a span out; any thread may, once.
  static void Remove(Slot* slot) {
    auto* const group = reinterpret_cast<LedgerGroup*>(
        RoundDown(AddressOf(slot), kStoreGranule));
    slot->Store(0, Order::kRelaxed);
    group->freed.FetchAdd(1, Order::kRelease);
  }

  // Calls visit(LedgerEntry) for each span.
  template <typename Visit>
  void ForEach(Visit visit) const {
    VisitSlots(&first_, [&](const Slot*, LedgerEntry entry) { visit(entry); });
  }
  // Calls visit(Slot*, LedgerEntry) for each span.
  template <typename Visit>
  void ForEachSlot(Visit visit) {
    VisitSlots(&first_, visit);
  }

  // Whether there is but one span, ever.
  bool HasOne() const { return first_.used == 1; }

  // Strikes everything out, and leaves all groups but the first to `spare`.
  void Clear(Stack<LedgerGroup>* spare) {
    LedgerGroup* group = first_.next.Load(Order::kRelaxed);
    while (group != nullptr) {
      LedgerGroup* const next = group->next.Load(Order::kRelaxed);
      ClearGroup(group);
      spare->Push(group);
      group = next;
    }
    ClearGroup(&first_);
    current_ = nullptr;
  }

 private:
  template <typename Group, typename Visit>
  static void VisitSlots(Group* group, Visit visit) {
    for (; group != nullptr; group = group->next.Load(Order::kAcquire)) {
      const unsigned used = group->used.Peek();
      for (unsigned i = 0; i < used; ++i) {
        const uint64_t word = group->slots[i].Load(Order::kAcquire);
        if (word != 0) visit(&group->slots[i], LedgerEntry(word));
      }
    }
  }

  static void ClearGroup(LedgerGroup* group) {
    for (unsigned i = 0; i < group->used; ++i)
      group->slots[i].Store(0, Order::kRelaxed);
    group->used = 0;
    group->freed.Store(0, Order::kRelaxed);
    group->next.Store(nullptr, Order::kRelaxed);
  }

  static Slot* FindIn(LedgerGroup* group) {
    if (ALCOVE_LIKELY(group->used < LedgerGroup::kSlots)) {
      Slot* const slot = &group->slots[group->used];
      group->used = group->used + 1;
      return slot;
    }
    return group->freed.Load(Order::kAcquire) != 0 ? Reuse(group) : nullptr;
  }

  // An empty slot below `used`. (No other that was found is empty still.)
  static Slot* Reuse(LedgerGroup* group) {
    Slot* slot = group->slots;
    while (slot->Load(Order::kRelaxed) != 0) ++slot;
    group->freed.FetchSub(1, Order::kRelaxed);
    return slot;
  }

  static LedgerGroup* NewGroup(Store* store, Stack<LedgerGroup>* spare) {
    LedgerGroup* group = spare->Pop();
    if (group == nullptr)
      group = static_cast<LedgerGroup*>(store->Take(sizeof(LedgerGroup)));
    // A spare one comes with the next of the stack.
    if (group != nullptr) group->next.Store(nullptr, Order::kRelaxed);
    return group;
  }

  LedgerGroup first_;
  LedgerGroup* current_ = nullptr;  // where a slot was found last; null: first_
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_LEDGER_H_
