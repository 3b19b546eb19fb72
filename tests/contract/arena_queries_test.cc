// How arenas are asked: by any address, and into structs of any length.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using ArenaQueriesTest = ArenaModesTest;

TEST_P(ArenaQueriesTest, ClassesFillNoMoreThanThereIsRoomFor) {
  ScopedArena arena(Options());
  for (const size_t size : kSizesOfAllKinds) subject::arena_malloc(arena, size);
  const auto all = ClassesOf(arena);
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(subject::arena_class_stats(arena, nullptr, 0), all.size());
  std::vector<subject::ArenaClassStats> some(2);
  some[1].units = 0xABABABAB;
  EXPECT_EQ(subject::arena_class_stats(arena, some.data(), 1), all.size());
  EXPECT_EQ(std::memcmp(&some[0], &all[0], sizeof(all[0])), 0);
  EXPECT_EQ(some[1].units, 0xABABABABu) << "beyond the room that was given";
}

TEST_P(ArenaQueriesTest, ArenaOfKnowsEveryAddress) {
  ScopedArena arena(Options());
  void* const main = subject::malloc(100);
  for (const size_t size : kSizesOfAllKinds) {
    char* const block = static_cast<char*>(subject::arena_malloc(arena, size));
    EXPECT_EQ(subject::arena_of(block), arena) << size;
    EXPECT_EQ(subject::arena_of(block + size - 1), arena) << size;
    EXPECT_EQ(subject::arena_of(block + size / 2), arena) << size;
  }
  int local = 0;
  for (const void* const no :
       {static_cast<const void*>(main), static_cast<const void*>(&local),
        static_cast<const void*>(nullptr),
        reinterpret_cast<const void*>(uintptr_t{8}),
        reinterpret_cast<const void*>(UINTPTR_MAX)}) {
    EXPECT_EQ(subject::arena_of(no), nullptr) << no;
  }
  subject::free(main);
}

TEST_P(ArenaQueriesTest, TakeALongerOrShorterStruct) {
  ScopedArena arena(Options());
  subject::arena_malloc(arena, 64);
  constexpr size_t kSize = sizeof(subject::ArenaStats);
  for (size_t size = sizeof(size_t); size <= kSize + 32; size += 4) {
    unsigned char bytes[kSize + 32];
    std::memset(bytes, 0xAB, sizeof(bytes));
    std::memcpy(bytes, &size, sizeof(size));
    auto* const stats = reinterpret_cast<subject::ArenaStats*>(bytes);
    EXPECT_EQ(subject::arena_stats(arena, stats), 0);
    EXPECT_EQ(stats->struct_size, size) << "struct_size is the caller's";
    for (size_t i = std::min(size, kSize); i < sizeof(bytes); ++i)
      ASSERT_EQ(bytes[i], 0xAB) << i << " of " << size << " was written";
    if (size > offsetof(subject::ArenaStats, blocks_live) + 8) {
      EXPECT_EQ(stats->blocks_live, 1u);
    }
  }
}

TEST_P(ArenaQueriesTest, RefuseWhatHasNoRoomForItsSize) {
  ScopedArena arena(Options());
  EXPECT_EQ(subject::arena_stats(arena, nullptr), EINVAL);
  for (size_t size = 0; size < sizeof(size_t); ++size) {
    subject::ArenaStats stats;
    std::memset(&stats, 0xAB, sizeof(stats));
    stats.struct_size = size;
    EXPECT_EQ(subject::arena_stats(arena, &stats), EINVAL);
    EXPECT_EQ(stats.struct_size, size);
    EXPECT_EQ(stats.number, 0xABABABABABABABAB);
  }
}

INSTANTIATE_IN_BOTH_MODES(ArenaQueriesTest);

}  // namespace
}  // namespace contract
