// Groups of objects of sizes that a program favours, kept for a while; most
// groups are freed last to first, some the other way round. MicroQuill's
// sh6bench (SmartHeap) mimics C++ programs so, with mostly small sizes;
// rounding up of the smallest shows in the memory.
#include "bench/workloads/toolbox.h"
#include "bench/workloads/workload.h"

namespace bench {

namespace {

constexpr size_t kGroups = 300;  // live at a time
constexpr size_t kLargest = 1000;

struct Group {
  void** objects;
  size_t size;
};

void Groups(Run& run, const Workload&) {
  const Sizes sizes(4, 800, Spread::kManySmall);
  Table<void*> slots(kGroups * kLargest);
  Table<Group> groups(kGroups);
  for (size_t i = 0; i < kGroups; ++i) groups[i].objects = &slots[i * kLargest];
  Random random(7);
  const auto drop = [&](Group& group, bool backwards) {
    for (size_t i = 0; i < group.size; ++i) {
      std::free(group.objects[backwards ? group.size - 1 - i : i]);
    }
    group.size = 0;
  };

  const size_t made = run.Times(12000);
  uint64_t objects = 0;
  run.Start();
  for (size_t n = 0; n < made; ++n) {
    Group& group = groups[random.Below(kGroups)];
    drop(group, random.Below(4) != 0);
    // A group has a few sizes of its own.
    const size_t first = random.Next() >> 40;
    const size_t kinds = 1 + random.Below(4);
    const size_t size = random.Between(kLargest / 10, kLargest);
    while (group.size < size) {
      group.objects[group.size] = Allocate(sizes(first + group.size % kinds));
      ++group.size;
    }
    objects += size;
  }
  for (Group& group : groups) drop(group, true);
  run.Stop(objects);
}

constexpr Workload kRows[] = {
    {"groups", "groups of favoured sizes, freed forwards or backwards", Groups},
};

}  // namespace

std::span<const Workload> GroupsRows() { return kRows; }

}  // namespace bench
