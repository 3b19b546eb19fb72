// free_range: blocks that are given back in parts.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using FreeRangeTest = ContractTest;
using FreeRangeDeathTest = ContractTest;

char* Allocate(size_t size) {
  return static_cast<char*>(subject::malloc(size));
}

// Whether nothing of a block is used again before all of it is gone.
bool IsKept() { return IsOn("canaries") || IsOn("guard_pages"); }

void GiveBack(char* p, size_t size) {
  ASSERT_EQ(subject::free_range(p, size), 0);
}

// What two owners of a block have, as ralloc's example has it: each gives its own
// half back, when it pleases.
class Half {
 public:
  Half(char* data, size_t size, int seed)
      : data_(data), size_(size), seed_(seed) {
    Fill(data_, size_, seed_);
  }
  ~Half() {
    EXPECT_TRUE(Holds(data_, size_, seed_));
    EXPECT_EQ(subject::free_range(data_, size_), 0);
  }
  Half(const Half&) = delete;

 private:
  char* data_;
  size_t size_;
  int seed_;
};

TEST_F(FreeRangeTest, TwoVectorsShareABlockOf200Bytes) {
  char* const block = Allocate(200);
  // What was not asked for, so that nothing is left in the end.
  GiveBack(block + 200, subject::malloc_usable_size(block) - 200);
  EXPECT_EQ(subject::malloc_usable_size(block), 200u);
  {
    Half first(block, 100, 1);
    { Half second(block + 100, 100, 2); }
    EXPECT_EQ(subject::malloc_usable_size(block), 100u);
    EXPECT_EQ(GetStats().blocks_live, 1u);
  }
  EXPECT_EQ(GetStats().blocks_live, 0u);
  EXPECT_EQ(GetStats().bytes_gaps, 0u);
}

TEST_F(FreeRangeTest, TheLastPartMayGoByFree) {
  char* const block = Allocate(200);
  GiveBack(block, 100);
  subject::free(block + 100);
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(FreeRangeTest, AWholeBlockMayGo) {
  for (const size_t size : kSizesOfAllKinds) {
    char* const block = Allocate(size);
    GiveBack(block, subject::malloc_usable_size(block));
    EXPECT_EQ(GetStats().blocks_live, 0u) << size;
  }
}

TEST_F(FreeRangeTest, NothingIsNothing) {
  EXPECT_EQ(subject::free_range(nullptr, 0), 0);
  char* const block = Allocate(100);
  EXPECT_EQ(subject::free_range(block + 50, 0), 0);
  subject::free(block);
}

// [0, size) in random pieces, in random order.
std::vector<std::pair<size_t, size_t>> Pieces(size_t size, size_t count,
                                              std::mt19937_64* random) {
  std::vector<size_t> cuts = {0, size};
  for (size_t i = 1; i < count; ++i) cuts.push_back((*random)() % size);
  std::sort(cuts.begin(), cuts.end());
  std::vector<std::pair<size_t, size_t>> pieces;
  for (size_t i = 1; i < cuts.size(); ++i) {
    if (cuts[i - 1] != cuts[i]) pieces.emplace_back(cuts[i - 1], cuts[i]);
  }
  std::shuffle(pieces.begin(), pieces.end(), *random);
  return pieces;
}

// Every kind of block, cut to the byte anywhere; what is left keeps its contents
// while others use what was given back.
TEST_F(FreeRangeTest, AnyPiecesInAnyOrder) {
  constexpr uint64_t kSeed = 20261129;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << kSeed << " round " << round);
    const size_t sizes[] = {random() % 64 + 1, random() % 2000 + 1,
                            random() % 60000 + 1, random() % 400000 + 1};
    const size_t wanted = sizes[random() % 4];
    char* const block = Allocate(wanted);
    const size_t size = subject::malloc_usable_size(block);
    const auto pieces = Pieces(size, random() % 40 + 1, &random);
    for (const auto& [from, to] : pieces)
      Fill(block + from, to - from, from + 1);
    std::vector<std::pair<char*, size_t>> others;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const auto [from, to] = pieces[i];
      ASSERT_TRUE(Holds(block + from, to - from, from + 1));
      GiveBack(block + from, to - from);
      const size_t more = random() % (to - from) + 1;
      others.emplace_back(Allocate(more), more);
      Fill(others.back().first, more, i);
    }
    for (size_t i = 0; i < others.size(); ++i) {
      ASSERT_TRUE(Holds(others[i].first, others[i].second, i));
      subject::free(others[i].first);
    }
    ASSERT_EQ(GetStats().blocks_live, 0u);
    ASSERT_EQ(GetStats().bytes_gaps, 0u);
  }
}

TEST_F(FreeRangeTest, WhatIsLeftIsABlockOnEitherSide) {
  for (const size_t size : {size_t{4096}, 40 * kKiB, kMiB}) {
    char* const block = Allocate(size);
    const size_t usable = subject::malloc_usable_size(block);
    Fill(block, 1000, 1);
    Fill(block + 2001, usable - 2001, 2);
    GiveBack(block + 1000, 1001);
    EXPECT_EQ(subject::malloc_usable_size(block), 1000u);
    EXPECT_EQ(subject::malloc_usable_size(block + 2001), usable - 2001);
    EXPECT_EQ(subject::owns(block + 2001), 1);
    // A part is resized like any block.
    auto* const moved = static_cast<char*>(subject::realloc(block, 3000));
    ASSERT_NE(moved, nullptr);
    EXPECT_NE(moved, block);
    EXPECT_TRUE(Holds(moved, 1000, 1));
    EXPECT_EQ(subject::realloc(block + 2001, usable - 2101), block + 2001);
    EXPECT_TRUE(Holds(block + 2001, usable - 2101, 2));
    subject::free_sized(block + 2001, usable - 2001);
    subject::free(moved);
    EXPECT_EQ(GetStats().blocks_live, 0u) << size;
  }
}

TEST_F(FreeRangeTest, APartIsCutInPlaceButDoesNotGrow) {
  char* const block = Allocate(4096);
  GiveBack(block, 100);
  EXPECT_EQ(subject::try_realloc_in_place(block + 100, 5000, 5000), 3996u);
  EXPECT_EQ(subject::try_realloc_in_place(block + 100, 0, 333), 333u);
  EXPECT_EQ(subject::malloc_usable_size(block + 100), 333u);
  subject::free(block + 100);
}

// All of the memory of many halves is had again, in granules of 16 bytes.
TEST_F(FreeRangeTest, WhatIsGivenBackIsUsedAgain) {
  if (IsKept()) GTEST_SKIP() << "a block is kept until all of it is gone";
  constexpr size_t kBlocks = 1000;
  for (const size_t size : {size_t{160}, size_t{4096}}) {
    std::vector<char*> halves;
    for (size_t i = 0; i < kBlocks; ++i) {
      halves.push_back(Allocate(size));
      Fill(halves.back() + size / 2, size / 2, i);
    }
    for (char* block : halves) GiveBack(block, size / 2);
    const auto before = GetStats();
    EXPECT_EQ(before.bytes_gaps, kBlocks * size / 2);
    std::vector<char*> others;
    for (size_t i = 0; i < kBlocks; ++i) {
      others.push_back(Allocate(size / 2));
      Fill(others.back(), size / 2, i + 7);
    }
    const auto after = GetStats();
    // Some may come from what the thread had cached.
    EXPECT_LE(after.bytes_gaps, before.bytes_gaps / 4);
    EXPECT_LE(after.bytes_spans, before.bytes_spans + kUnit);
    for (size_t i = 0; i < kBlocks; ++i) {
      ASSERT_TRUE(Holds(halves[i] + size / 2, size / 2, i));
      ASSERT_TRUE(Holds(others[i], size / 2, i + 7));
      subject::free(others[i]);
      subject::free(halves[i] + size / 2);
    }
    EXPECT_EQ(GetStats().blocks_live, 0u);
    subject::purge();
  }
}

bool IsResident(const char* page) {
  unsigned char is = 0;
  EXPECT_EQ(mincore(const_cast<char*>(page), 1, &is), 0);
  return (is & 1) != 0;
}

TEST_F(FreeRangeTest, OfAGibibyteWholeUnitsGoToTheSystemAtOnce) {
  if (IsKept()) GTEST_SKIP() << "a block is kept until all of it is gone";
  constexpr uint64_t kSeed = 7;
  constexpr size_t kSize = 1024 * kMiB;
  std::mt19937_64 random(kSeed);
  char* const block = Allocate(kSize);
  if (block == nullptr) GTEST_SKIP() << "there is no gibibyte to be had";
  ASSERT_EQ(subject::malloc_usable_size(block), kSize);
  const size_t before = GetStats().bytes_spans;
  // A page of each unit; a gibibyte would take long.
  for (size_t at = 0; at < kSize; at += kUnit) block[at + kUnit / 2] = 1;
  std::vector<uint32_t> left(kSize / kUnit, kUnit);
  size_t units = 0;
  size_t done = 0;
  for (const auto& [from, to] : Pieces(kSize, 3000, &random)) {
    GiveBack(block + from, to - from);
    for (size_t unit = from / kUnit; unit * kUnit < to; ++unit) {
      const size_t begin = std::max(from, unit * kUnit);
      const size_t end = std::min(to, (unit + 1) * kUnit);
      left[unit] -= static_cast<uint32_t>(end - begin);
      if (left[unit] != 0) continue;
      ++units;
      if (done % 50 == 0) {
        ASSERT_FALSE(IsResident(block + unit * kUnit + kUnit / 2)) << unit;
      }
    }
    ++done;
    ASSERT_EQ(GetStats().bytes_spans, before - units * kUnit)
        << "seed " << kSeed << ", after " << done << " pieces";
  }
  EXPECT_EQ(units, left.size());
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(FreeRangeTest, UnitsThatLeftAreBlocksOfOthers) {
  if (IsKept()) GTEST_SKIP() << "a block is kept until all of it is gone";
  constexpr size_t kUnits = 64;
  char* const block = Allocate(kUnits * kUnit);
  for (size_t unit = 1; unit < kUnits; unit += 4) {
    Fill(block + (unit - 1) * kUnit, kUnit, unit);
    GiveBack(block + unit * kUnit, 3 * kUnit);
  }
  EXPECT_EQ(GetStats().blocks_live, kUnits / 4);
  std::vector<char*> others;
  for (size_t i = 0; i < 16; ++i) {
    others.push_back(Allocate(3 * kUnit));
    Fill(others.back(), 3 * kUnit, 1000 + i);
    subject::free_range(others.back() + kUnit + 5, 2 * kUnit - 5);
  }
  for (size_t unit = 1; unit < kUnits; unit += 4) {
    ASSERT_TRUE(Holds(block + (unit - 1) * kUnit, kUnit, unit));
    subject::free(block + (unit - 1) * kUnit);
  }
  for (size_t i = 0; i < others.size(); ++i) {
    ASSERT_EQ(subject::malloc_usable_size(others[i]), kUnit + 5);
    subject::free(others[i]);
  }
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(FreeRangeTest, ABlockThatWasMovedGoesInPartsToo) {
  // realloc moves its pages.
  char* block = Allocate(2 * kMiB);
  char* const wall = Allocate(2 * kMiB);
  Fill(block, 2 * kMiB, 1);
  block = static_cast<char*>(subject::realloc(block, 40 * kMiB));
  ASSERT_TRUE(Holds(block, 2 * kMiB, 1));
  const size_t usable = subject::malloc_usable_size(block);
  GiveBack(block + kMiB, kMiB);
  char* const other = Allocate(kMiB);
  Fill(other, kMiB, 2);
  GiveBack(block + 2 * kMiB, usable - 2 * kMiB);
  GiveBack(block, kMiB);
  EXPECT_TRUE(Holds(other, kMiB, 2));
  subject::free(other);
  subject::free(wall);
}

struct Piece {
  char* begin;
  size_t size;
  size_t seed;
};

// Every thread has a part of every block.
TEST_F(FreeRangeTest, FromAnyThread) {
  constexpr uint64_t kSeed = 11;
  constexpr size_t kThreads = 4;
  std::mt19937_64 random(kSeed);
  for (const size_t size : {size_t{224}, size_t{4096}, 40 * kKiB, 20 * kUnit}) {
    const size_t blocks = size < kMiB ? 200 : 20;
    std::vector<std::vector<Piece>> work(kThreads);
    for (size_t i = 0; i < blocks; ++i) {
      char* const block = Allocate(size);
      const size_t usable = subject::malloc_usable_size(block);
      for (const auto& [from, to] : Pieces(usable, 12, &random)) {
        Fill(block + from, to - from, from + 1);
        work[random() % kThreads].push_back(
            {block + from, to - from, from + 1});
      }
    }
    std::vector<std::thread> threads;
    std::atomic<size_t> wrong = 0;
    for (auto& mine : work) {
      threads.emplace_back([&mine, &wrong] {
        std::vector<char*> others;
        for (const auto& [p, n, seed] : mine) {
          if (!Holds(p, n, seed)) ++wrong;
          if (subject::free_range(p, n) != 0) ++wrong;
          others.push_back(Allocate(n));
          Fill(others.back(), n, n);
        }
        for (size_t i = 0; i < others.size(); ++i) {
          if (!Holds(others[i], mine[i].size, mine[i].size)) ++wrong;
          subject::free(others[i]);
        }
        subject::thread_detach();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0u) << "seed " << kSeed << ", blocks of " << size;
    EXPECT_EQ(GetStats().blocks_live, 0u) << size;
    EXPECT_EQ(GetStats().bytes_gaps, 0u) << size;
  }
}

// Blocks of arenas: the same, but that nobody else has any of it meanwhile.
TEST_F(FreeRangeTest, OfArenas) {
  constexpr uint64_t kSeed = 13;
  std::mt19937_64 random(kSeed);
  for (const uint32_t mode : {subject::kGeneral, subject::kMonotonic}) {
    const subject::ArenaOptions options = Options(mode);
    subject::Arena* const arena = subject::arena_create(&options);
    for (int round = 0; round < 300; ++round) {
      SCOPED_TRACE(testing::Message() << "seed " << kSeed << " round " << round
                                      << " mode " << mode);
      const size_t sizes[] = {random() % 64 + 1, random() % 2000 + 1,
                              random() % 60000 + 1, random() % 400000 + 1};
      char* const block =
          static_cast<char*>(subject::arena_malloc(arena, sizes[random() % 4]));
      const size_t size = subject::malloc_usable_size(block);
      const auto pieces = Pieces(size, random() % 20 + 1, &random);
      for (const auto& [from, to] : pieces)
        Fill(block + from, to - from, from + 1);
      // Of some, a part or all is left for the arena's end.
      size_t left = random() % 3 == 0 ? random() % pieces.size() : 0;
      for (const auto& [from, to] : pieces) {
        ASSERT_TRUE(Holds(block + from, to - from, from + 1));
        if (left != 0) {
          --left;
        } else {
          GiveBack(block + from, to - from);
        }
        // Beside others, of the arena and not.
        subject::arena_malloc(arena, random() % 3000 + 1);
        subject::free(subject::malloc(random() % 3000 + 1));
      }
      EXPECT_EQ(GetStats().bytes_gaps, 0u);
      if (round % 50 == 49) subject::arena_reset(arena);
    }
    subject::arena_destroy(arena);
    EXPECT_EQ(GetStats().blocks_live, 0u);
  }
}

TEST_F(FreeRangeTest, APartInAnArenaStaysThereWhenResized) {
  const subject::ArenaOptions options = Options();
  subject::Arena* const arena = subject::arena_create(&options);
  auto* const block = static_cast<char*>(subject::arena_malloc(arena, 4096));
  Fill(block, 96, 1);
  GiveBack(block + 100, 3996);
  EXPECT_EQ(subject::malloc_usable_size(block), 100u);
  auto* const moved =
      static_cast<char*>(subject::arena_realloc(arena, block, 3000));
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(subject::arena_of(moved), arena);
  EXPECT_TRUE(Holds(moved, 96, 1));
  auto* const large =
      static_cast<char*>(subject::arena_malloc(arena, 10 * kUnit));
  memset(large, 1, 10 * kUnit);
  GiveBack(large + kUnit, 2 * kUnit + 5);
  EXPECT_FALSE(IsResident(large + kUnit));
  EXPECT_TRUE(IsResident(large + 3 * kUnit));
  EXPECT_EQ(large[3 * kUnit + 5], 1);
  EXPECT_EQ(subject::arena_of(large + 3 * kUnit + 5), arena);
  subject::free(large + 3 * kUnit + 5);
  subject::free(large);
  subject::free(moved);
  subject::arena_destroy(arena);
}

TEST_F(FreeRangeDeathTest, OfArenas) {
  const subject::ArenaOptions options = Options();
  subject::Arena* const arena = subject::arena_create(&options);
  auto* const block = static_cast<char*>(subject::arena_malloc(arena, 4096));
  GiveBack(block + 100, 100);
  EXPECT_STOPS(subject::free_range(block + 50, 60),
               Line("free_range beyond the end of the block, from", block + 50,
                    " (a block of 100 bytes)"));
  EXPECT_STOPS(subject::free(block + 199), Line("double free of", block + 199));
  EXPECT_STOPS_LIKE(
      {
        subject::arena_destroy(arena);
        subject::free_range(block + 300, 1);
      },
      testing::HasSubstr("free_range of"));
  subject::arena_destroy(arena);
}

TEST_F(FreeRangeDeathTest, Twice) {
  char* const block = Allocate(200);
  GiveBack(block + 50, 100);
  EXPECT_STOPS(subject::free_range(block + 149, 1),
               Line("free_range of memory that was given back already, at",
                    block + 149));
  EXPECT_STOPS(
      subject::free_range(block + 50, 100),
      Line("free_range of memory that was given back already, at", block + 50));
  EXPECT_STOPS(subject::free(block + 64), Line("double free of", block + 64));
  GiveBack(block, 50);
  EXPECT_STOPS(subject::free(block), Line("double free of", block));
  subject::free(block + 150);
}

TEST_F(FreeRangeDeathTest, BeyondTheEnd) {
  for (const size_t size : {size_t{224}, size_t{4096}, 3 * kUnit}) {
    char* const block = Allocate(size);
    const std::string of = " (a block of " + std::to_string(size) + " bytes)";
    const std::string what = "free_range beyond the end of the block, from";
    EXPECT_STOPS(subject::free_range(block, size + 1), Line(what, block, of));
    EXPECT_STOPS(subject::free_range(block + 10, size - 9),
                 Line(what, block + 10, of));
    EXPECT_STOPS(subject::free_range(block, SIZE_MAX), Line(what, block));
    GiveBack(block + 100, 10);
    EXPECT_STOPS(subject::free_range(block + 90, 11),
                 Line(what, block + 90, " (a block of 100 bytes)"));
    subject::free(block);
    subject::free(block + 110);
  }
}

TEST_F(FreeRangeDeathTest, InsideAPart) {
  for (const size_t size : {size_t{224}, 3 * kUnit}) {
    char* const block = Allocate(size);
    GiveBack(block, 10);
    EXPECT_STOPS(subject::free(block + 20),
                 Line("free inside a block at", block + 20));
    EXPECT_STOPS(
        subject::malloc_usable_size(block + 20),
        Line("size or realloc asked of the inside of a block at", block + 20));
    subject::free(block + 10);
  }
}

TEST_F(FreeRangeDeathTest, OfNoBlock) {
  static char foreign[100];
  EXPECT_STOPS(subject::free_range(foreign, 10),
               Line("free of memory that is not this instance's, at", foreign));
  EXPECT_STOPS(subject::free_range(nullptr, 10),
               std::string("alcove[") + subject::prefix +
                   "]: free of memory that is not this instance's, at 0x0\n");
  char* const block = Allocate(3 * kMiB);
  EXPECT_STOPS(
      {
        subject::free(block);
        subject::thread_detach();
        subject::free_range(block, 10);
      },
      Line("free of memory that is in no block, at", block));
  subject::free(block);
}

}  // namespace
}  // namespace contract
