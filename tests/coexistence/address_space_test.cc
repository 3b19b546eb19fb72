// What the twelve instances take of the address space, and that each gives back
// exactly its own: from what the registry lists and from /proc/self/maps.
#include "tests/coexistence/address_space.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <random>

#include "gtest/gtest.h"
#include "registry/registry.h"
#include "tests/coexistence/crew.h"
#include "tests/coexistence/heaps.h"

namespace coexistence {
namespace {

constexpr int kThreads = 8;
constexpr size_t kSizes[] = {1, 100, 5000, 100000, 3000000};
constexpr size_t kBlocks = std::size(kSizes);

struct Held {
  void* blocks[kBlocks];
};

template <typename Malloc>
Held Fill(const Malloc& allocate) {
  Held held;
  for (size_t i = 0; i < kBlocks; ++i) {
    held.blocks[i] = allocate(kSizes[i]);
    isolation::FillBlock(held.blocks[i], kSizes[i]);
  }
  return held;
}

bool IsIntact(const Held& held) {
  for (size_t i = 0; i < kBlocks; ++i) {
    if (!isolation::IsFilled(held.blocks[i], kSizes[i], kSizes[i]))
      return false;
  }
  return true;
}

// A thread's use of an instance, that leaves it with a cache.
void Use(const Heap& heap) {
  for (const size_t size : kSizes)
    heap.functions.free(heap.functions.malloc(size));
}

// Where an instance's blocks can be, as its descriptor tells.
struct Ranges {
  Extents extents;
  Extents objects;  // that describe them, in the instance's own data
};

Ranges RangesOf(const Heap& heap) {
  std::array<alcove_instance_entry, kHeaps> entries;
  EXPECT_EQ(alcove_registry_list(entries.data(), kHeaps), long{kHeaps});
  Ranges ranges;
  for (const alcove_instance_entry& entry : entries) {
    if (std::strcmp(entry.prefix, heap.prefix) != 0) continue;
    const alcove_instance_descriptor& stated = entry.stated;
    for (size_t i = 0; i < stated.ranges_max && stated.ranges[i] != nullptr;
         ++i) {
      const char* const object = static_cast<const char*>(stated.ranges[i]);
      uintptr_t base;
      uint64_t units;
      std::memcpy(&base, object + stated.range_base, sizeof(base));
      std::memcpy(&units, object + stated.range_units, sizeof(units));
      ranges.extents.Append({base, base + (units << stated.unit_shift)});
      const auto at = reinterpret_cast<uintptr_t>(object);
      ranges.objects.Append({at, at + 1});
    }
  }
  return ranges;
}

Extent ExtentOf(const void* block, size_t size) {
  const auto at = reinterpret_cast<uintptr_t>(block);
  return {at, at + size};
}

class AddressSpaceTest : public testing::Test {
 protected:
  AddressSpaceTest() {
    EXPECT_TRUE(MallocIsJemalloc());
    // What libc and jemalloc keep for a thread is there from now on.
    crew_.Run([] { std::free(std::malloc(100)); });
    for (const Heap& heap : Heaps()) {
      crew_.Run([&] {
        Use(heap);
        heap.thread_detach();
      });
      EXPECT_EQ(heap.shutdown(), 0);
    }
    mallocs_ = Fill(std::malloc);
  }
  ~AddressSpaceTest() override {
    EXPECT_TRUE(IsIntact(mallocs_));
    for (void* const block : mallocs_.blocks) std::free(block);
  }

  // Has an instance come to life; what it takes is in taken_.
  void Begin(size_t i) {
    const Heap& heap = Heaps()[i];
    const AddressSpace before;
    crew_.Run([&] { Use(heap); });
    held_[i] = Fill(heap.functions.malloc);
    const AddressSpace after;
    EXPECT_EQ(before.Mapped().Without(after.Mapped()).size(), 0u);
    taken_[i] = after.Mapped().Without(before.Mapped());
  }

  // The end of one. Says how the address space changes.
  void End(size_t i) {
    const Heap& heap = Heaps()[i];
    crew_.Run(heap.thread_detach);
    const AddressSpace before;
    ASSERT_EQ(heap.shutdown(), 0) << heap.prefix;
    const AddressSpace after;
    EXPECT_EQ(after.Mapped().Without(before.Mapped()).size(), 0u);
    EXPECT_EQ(before.Mapped().Without(after.Mapped()), taken_[i])
        << heap.prefix << " gives back what it took and nothing else";
  }

  Crew crew_{kThreads};
  Held mallocs_;
  std::array<Held, kHeaps> held_;
  std::array<Extents, kHeaps> taken_;
};

TEST_F(AddressSpaceTest, EachHasItsOwn) {
  const AddressSpace beginning;
  for (size_t i = 0; i < kHeaps; ++i) Begin(i);
  for (size_t i = 0; i < kHeaps; ++i) {
    const Heap& heap = Heaps()[i];
    SCOPED_TRACE(heap.prefix);
    // All that came with it are its ranges, and its own data behind them.
    const Ranges ranges = RangesOf(heap);
    const Figures figures = heap.figures();
    EXPECT_GE(ranges.extents.size(), 1u);
    EXPECT_EQ(ranges.extents.bytes(), figures.bytes_reserved);
    EXPECT_EQ(taken_[i].bytes(),
              figures.bytes_reserved + figures.bytes_metadata);
    for (const Extent& range : ranges.extents)
      EXPECT_TRUE(taken_[i].Contains(range));
    for (const Extent& object : ranges.objects) {
      EXPECT_TRUE(taken_[i].Contains(object));
      EXPECT_FALSE(ranges.extents.Overlaps(object));
    }
    for (size_t b = 0; b < kBlocks; ++b) {
      EXPECT_TRUE(
          ranges.extents.Contains(ExtentOf(held_[i].blocks[b], kSizes[b])));
    }
    // Nothing of it is anybody else's: another instance's, or what was there
    // before, libc's and jemalloc's.
    for (const Extent& mine : taken_[i]) {
      EXPECT_FALSE(beginning.Mapped().Overlaps(mine));
      for (size_t other = 0; other < kHeaps; ++other)
        EXPECT_TRUE(other == i || !taken_[other].Overlaps(mine))
            << Heaps()[other].prefix;
      for (size_t b = 0; b < kBlocks; ++b)
        EXPECT_FALSE(mine.Overlaps(ExtentOf(mallocs_.blocks[b], kSizes[b])));
    }
    // It is anonymous memory that no other process sees, and never code.
    for (const isolation::Mapping& mapping : AddressSpace()) {
      if (!taken_[i].Overlaps({mapping.begin, mapping.end})) continue;
      EXPECT_FALSE(mapping.has_name);
      EXPECT_EQ(mapping.access[2], '-');
      EXPECT_EQ(mapping.access[3], 'p');
    }
  }
  for (size_t i = 0; i < kHeaps; ++i) End(i);
}

TEST_F(AddressSpaceTest, EachEndsAlone) {
  const AddressSpace beginning;
  for (size_t i = 0; i < kHeaps; ++i) Begin(i);
  std::array<size_t, kHeaps> order;
  for (size_t i = 0; i < kHeaps; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  for (size_t ended = 0; ended < kHeaps; ++ended) {
    const size_t i = order[ended];
    SCOPED_TRACE(Heaps()[i].prefix);
    End(i);
    EXPECT_EQ(alcove_registry_owner_of(held_[i].blocks[0], nullptr), 0);
    EXPECT_TRUE(IsIntact(mallocs_));
    for (size_t left = ended + 1; left < kHeaps; ++left) {
      const Heap& heap = Heaps()[order[left]];
      EXPECT_TRUE(IsIntact(held_[order[left]])) << heap.prefix;
      crew_.Run([&] { Use(heap); });
      for (void*& block : held_[order[left]].blocks) {
        const size_t size = kSizes[&block - held_[order[left]].blocks];
        heap.functions.free(block);
        block = heap.functions.malloc(size);
        isolation::FillBlock(block, size);
      }
    }
  }
  EXPECT_TRUE(AddressSpace() == beginning);
}

// Another course: who was ended comes to life beside those that live on.
TEST_F(AddressSpaceTest, EachMayBeginAgain) {
  const AddressSpace beginning;
  for (size_t i = 0; i < kHeaps; ++i) Begin(i);
  std::mt19937_64 random(2);
  for (int times = 0; times < 50; ++times) {
    const size_t i = random() % kHeaps;
    End(i);
    Begin(i);
  }
  for (size_t i = 0; i < kHeaps; ++i) EXPECT_TRUE(IsIntact(held_[i]));
  for (size_t i = 0; i < kHeaps; ++i) End(i);
  EXPECT_TRUE(AddressSpace() == beginning);
}

}  // namespace
}  // namespace coexistence
