// The search for the owner of an address, among lists made by hand.
#include <algorithm>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "registry/instances.h"
#include "tests/registry/image.h"

namespace registry_tests {
namespace {

using alcove::registry::FindOwner;
using alcove::registry::Memory;

struct Range {
  uint64_t something;
  uintptr_t base;
  uint64_t other[3];
  uint64_t units;
};

constexpr unsigned kShift = 12;

// What an instance has of ranges, and a descriptor that leads to them.
struct Instance {
  explicit Instance(uint32_t max = 48) : slots(max, nullptr) {
    stated.magic = ALCOVE_DESCRIPTOR_MAGIC;
    stated.struct_size = sizeof(stated);
    stated.layout = 1;
    stated.self = &stated;
    stated.ranges = slots.data();
    stated.ranges_max = max;
    stated.range_base = offsetof(Range, base);
    stated.range_units = offsetof(Range, units);
    stated.unit_shift = kShift;
  }
  Instance(const Instance&) = delete;

  void Add(uintptr_t base, uint64_t units) {
    auto range = std::make_unique<Range>();
    range->base = base;
    range->units = units;
    *std::find(slots.begin(), slots.end(), nullptr) = range.get();
    ranges.push_back(std::move(range));
  }

  alcove_instance_descriptor stated = {};
  std::vector<const void*> slots;
  std::vector<std::unique_ptr<Range>> ranges;
};

size_t OwnerOf(const std::vector<std::unique_ptr<Instance>>& instances,
               uintptr_t address) {
  std::vector<alcove_instance_descriptor> copies;
  for (const auto& instance : instances) copies.push_back(instance->stated);
  Memory memory;
  return FindOwner(&memory, copies.data(), sizeof(copies[0]), copies.size(),
                   address);
}

std::vector<std::unique_ptr<Instance>> Make(size_t count, uint32_t max = 48) {
  std::vector<std::unique_ptr<Instance>> all;
  for (size_t i = 0; i < count; ++i)
    all.push_back(std::make_unique<Instance>(max));
  return all;
}

TEST(OwnerTest, NoRangeHoldsNothing) {
  for (const size_t count : {0, 1, 100})
    EXPECT_EQ(OwnerOf(Make(count), 0x10000), count);
}

TEST(OwnerTest, TheRangeFromItsFirstByteToItsLast) {
  auto all = Make(1);
  all[0]->Add(0x10000, 3);
  EXPECT_EQ(OwnerOf(all, 0xffff), 1u);
  EXPECT_EQ(OwnerOf(all, 0x10000), 0u);
  EXPECT_EQ(OwnerOf(all, 0x12fff), 0u);
  EXPECT_EQ(OwnerOf(all, 0x13000), 1u);
  EXPECT_EQ(OwnerOf(all, 0), 1u);
  EXPECT_EQ(OwnerOf(all, UINTPTR_MAX), 1u);
}

TEST(OwnerTest, AmongManyInstancesWithManyRanges) {
  for (const size_t count : {1, 2, 15, 16, 17, 31, 33, 100}) {
    for (const size_t ranges : {1, 2, 3, 9, 10, 11, 48}) {
      auto all = Make(count, 48);
      for (size_t i = 0; i < count; ++i) {
        for (size_t r = 0; r < ranges; ++r)
          all[i]->Add((i * 100 + r + 1) << 20, 1);
      }
      for (const size_t i : {size_t{0}, count / 2, count - 1}) {
        for (const size_t r : {size_t{0}, ranges / 2, ranges - 1}) {
          EXPECT_EQ(OwnerOf(all, ((i * 100 + r + 1) << 20) + 5), i);
        }
      }
      EXPECT_EQ(OwnerOf(all, (count * 100) << 20), count);
    }
  }
}

TEST(OwnerTest, NoMoreThanTheListHas) {
  for (const uint32_t max : {1u, 2u, 3u, 10u}) {
    auto all = Make(1, max);
    for (uint32_t r = 0; r < max; ++r) all[0]->Add((r + 1) << 20, 1);
    EXPECT_EQ(OwnerOf(all, (max << 20) + 5), 0u);
    all[0]->stated.ranges_max = max - 1;
    EXPECT_EQ(OwnerOf(all, (max << 20) + 5), 1u);
  }
}

TEST(OwnerTest, WhatIsGoneOwnsNothing) {
  auto all = Make(3);
  for (size_t i = 0; i < 3; ++i) all[i]->Add((i + 1) << 20, 1);
  Pages pages(1);
  const uintptr_t nowhere = reinterpret_cast<uintptr_t>(pages.end());
  // The list, a range, and the descriptor: the others are found all the same.
  all[0]->stated.ranges = reinterpret_cast<const void**>(nowhere);
  EXPECT_EQ(OwnerOf(all, 1 << 20), 3u);
  EXPECT_EQ(OwnerOf(all, 2 << 20), 1u);
  all[1]->slots[0] = pages.end() - 16;
  EXPECT_EQ(OwnerOf(all, 2 << 20), 3u);
  EXPECT_EQ(OwnerOf(all, 3 << 20), 2u);
  all[2]->stated.self =
      reinterpret_cast<const alcove_instance_descriptor*>(nowhere);
  EXPECT_EQ(OwnerOf(all, 3 << 20), 3u);
}

// Another object may lie where the one of the copy was.
TEST(OwnerTest, AnotherDescriptorOwnsNothing) {
  auto all = Make(1);
  all[0]->Add(1 << 20, 1);
  const alcove_instance_descriptor copy = all[0]->stated;
  Memory memory;
  const auto owner = [&] { return FindOwner(&memory, &copy, 0, 1, 1 << 20); };
  EXPECT_EQ(owner(), 0u);
  all[0]->stated.magic = 0;
  EXPECT_EQ(owner(), 1u);
  all[0]->stated.magic = copy.magic;
  all[0]->stated.layout = 2;
  EXPECT_EQ(owner(), 1u);
  all[0]->stated.layout = copy.layout;
  all[0]->stated.self = nullptr;
  EXPECT_EQ(owner(), 1u);
}

TEST(OwnerTest, SizesThatOverflow) {
  auto all = Make(1);
  all[0]->Add(1 << 20, UINT64_MAX);
  EXPECT_EQ(OwnerOf(all, 1 << 20), 1u);
  all[0]->ranges[0]->units = uint64_t{1} << 52;  // 2^64 bytes
  EXPECT_EQ(OwnerOf(all, 1 << 20), 1u);
}

}  // namespace
}  // namespace registry_tests
