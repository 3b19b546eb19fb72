// What the tests of arenas share.
#ifndef ALCOVE_TESTS_CORE_ARENAS_H_
#define ALCOVE_TESTS_CORE_ARENAS_H_

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {

// An instance in which arenas are made and used without the entry points.
class ArenaInstanceTest : public InstanceTest {
 protected:
  static ArenaHandle Create(const ArenaOptions& options = {}) {
    return g_arenas.Create(&g_instance, CurrentHeap(), options);
  }
  static ArenaHandle CreateMonotonic() {
    ArenaOptions options;
    options.monotonic = true;
    return Create(options);
  }
  static ArenaHandle CreateChild(ArenaHandle parent) {
    ArenaOptions options;
    options.parent = parent;
    return Create(options);
  }
  static void Destroy(ArenaHandle handle) {
    g_arenas.Destroy(CurrentHeap(), handle);
  }
  static Arena* At(ArenaHandle handle) { return g_arenas.Resolve(handle); }
  // The calling thread's heap in it.
  static ArenaHeap* HeapIn(ArenaHandle handle) {
    return g_arenas.HeapFor(CurrentHeap(), handle);
  }
  static char* Allocate(ArenaHandle handle, size_t size, size_t alignment = 8,
                        bool zero = false) {
    return static_cast<char*>(HeapIn(handle)->Allocate(size, alignment, zero));
  }
  static bool Charge(ArenaHandle handle, size_t units) {
    uint64_t crossed;
    return At(handle)->Charge(units, &crossed);
  }
  static size_t HeldUnits(ArenaHandle handle) {
    return At(handle)->quota.held() / kUnit;
  }
  // What is written down in all of its ledgers.
  static size_t LedgerUnits(ArenaHandle handle) {
    size_t units = 0;
    for (ArenaHeap* heap = At(handle)->heaps.Load(Order::kAcquire);
         heap != nullptr; heap = heap->next.Load(Order::kRelaxed)) {
      heap->ledger().ForEach(
          [&](LedgerEntry entry) { units += entry.units(); });
    }
    return units;
  }
  // What the region has in use; where arenas leave their units to a quarantine,
  // that has them first.
  static void ExpectUsed(size_t units) {
    if (Config::kArenaQuarantine == 0) {
      EXPECT_EQ(UsedUnits(), units);
    }
  }
  static size_t UsedUnits() { return g_instance.region.used(); }
};

// Every primitive but those that ask for the clock or the thread's name.
inline constexpr Primitive kOfMemory[] = {
    Primitive::kReserve,   Primitive::kCommit,  Primitive::kMap,
    Primitive::kUnmap,     Primitive::kPurge,   Primitive::kZeroPages,
    Primitive::kMovePages, Primitive::kRefresh, Primitive::kAdviseHugePages,
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_TESTS_CORE_ARENAS_H_
