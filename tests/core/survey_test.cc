#include "core/arena/survey.h"

#include <algorithm>
#include <map>

#include "tests/core/arenas.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

// An arena beside a list of what lives in it.
class SurveyTest : public ArenaInstanceTest,
                   public testing::WithParamInterface<bool> {
 protected:
  bool monotonic() const { return GetParam(); }
  ArenaHandle Make(size_t reserve = 0) {
    ArenaOptions options;
    options.monotonic = monotonic();
    options.reserve = reserve;
    return Create(options);
  }

  // Its live blocks, each seen once.
  static std::map<void*, size_t> Visited(ArenaHandle arena) {
    std::map<void*, size_t> seen;
    const size_t count = VisitBlocks(
        *At(arena),
        [](void* block, size_t size, void* context) {
          auto* const all = static_cast<std::map<void*, size_t>*>(context);
          EXPECT_TRUE(all->emplace(block, size).second) << "visited twice";
        },
        &seen);
    EXPECT_EQ(count, seen.size());
    return seen;
  }

  static std::vector<ClassSnapshot> Classes(ArenaHandle arena) {
    std::vector<ClassSnapshot> classes;
    VisitClasses(
        *At(arena),
        [](const ClassSnapshot& s, void* context) {
          static_cast<std::vector<ClassSnapshot>*>(context)->push_back(s);
        },
        &classes);
    return classes;
  }

  static void ExpectExact(ArenaHandle arena,
                          const std::map<void*, size_t>& live) {
    ASSERT_EQ(Visited(arena), live);
    size_t bytes = 0;
    for (const auto& [block, size] : live) bytes += size;
    const ArenaSnapshot s = TakeSnapshot(*At(arena));
    ASSERT_EQ(s.blocks_live, live.size());
    ASSERT_EQ(s.bytes_live, bytes);
    ASSERT_GE(s.blocks_peak, s.blocks_live);
    ASSERT_GE(s.bytes_peak, s.bytes_live);
    ASSERT_GE(s.bytes_mapped, LedgerUnits(arena) * kUnit);
    ASSERT_LE(s.bytes_committed, s.bytes_mapped);
    ASSERT_GE(s.bytes_committed, s.bytes_live);
    ASSERT_EQ(LedgerUnits(arena), HeldUnits(arena));
    // The classes add up to the same.
    size_t class_blocks = 0;
    size_t class_bytes = 0;
    size_t class_units = 0;
    std::map<size_t, size_t> of_size;
    for (const ClassSnapshot& c : Classes(arena)) {
      class_blocks += c.blocks_live;
      class_bytes += c.bytes_live;
      class_units += c.units;
      ASSERT_NE(c.units, 0u);
      if (c.block_size != 0) {
        ASSERT_TRUE(of_size.emplace(c.block_size, c.blocks_live).second);
        ASSERT_EQ(c.bytes_live, c.blocks_live * c.block_size);
      }
    }
    ASSERT_EQ(class_blocks, live.size());
    ASSERT_EQ(class_bytes, bytes);
    ASSERT_EQ(class_units, HeldUnits(arena));
    std::map<size_t, size_t> reference;
    for (const auto& [block, size] : live) ++reference[size];
    for (const auto& [size, blocks] : of_size)
      ASSERT_EQ(reference[size], blocks) << size;
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, SurveyTest, testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Monotonic" : "General";
                         });

TEST_P(SurveyTest, AnEmptyArena) {
  const ArenaHandle arena = Make();
  ExpectExact(arena, {});
  EXPECT_EQ(TakeSnapshot(*At(arena)).threads, 0u);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_mapped, 0u);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_peak, 0u);
  EXPECT_TRUE(Classes(arena).empty());
  HeapIn(arena);
  EXPECT_EQ(TakeSnapshot(*At(arena)).threads, 1u);
  ExpectExact(arena, {});
  Destroy(arena);
}

TEST_P(SurveyTest, BlocksOfAMaskAreNotLive) {
  const ArenaHandle arena = Make();
  std::map<void*, size_t> live;
  for (int i = 0; i < 150; ++i) {
    void* const block = Allocate(arena, 48);
    live[block] = 48;
    ExpectExact(arena, live);
  }
  Destroy(arena);
}

TEST_P(SurveyTest, TheReserveIsMappedAndNothingElse) {
  const ArenaHandle arena = Make(10 * kUnit);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_mapped, 10 * kUnit);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_committed, 0u);
  ExpectExact(arena, {});
  void* const small = Allocate(arena, 16);
  void* const large = Allocate(arena, 3 * kUnit);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_mapped, 10 * kUnit)
      << "a part of it is in use";
  ExpectExact(arena, {{small, 16}, {large, 3 * kUnit}});
  Destroy(arena);
}

TEST_P(SurveyTest, OtherThreadsFreesThatDidNotComeHome) {
  const ArenaHandle arena = Make();
  std::map<void*, size_t> live;
  for (const size_t size : {16, 48, 1024, 20480, 65536, 3 << 16}) {
    for (int i = 0; i < 100; ++i) live[Allocate(arena, size)] = size;
  }
  ExpectExact(arena, live);
  std::vector<void*> freed;
  for (const auto& [block, size] : live)
    if (freed.size() * 3 < live.size()) freed.push_back(block);
  Random random;
  for (size_t i = 0; i < live.size(); ++i) {
    if (random.Below(2) != 0) continue;
    auto it = live.begin();
    std::advance(it, i);
    freed.push_back(it->first);
  }
  std::sort(freed.begin(), freed.end());
  freed.erase(std::unique(freed.begin(), freed.end()), freed.end());
  RunThreads(3, [&](unsigned t) {
    for (size_t i = t; i < freed.size(); i += 3) test_free(freed[i]);
  });
  for (void* block : freed) live.erase(block);
  ExpectExact(arena, live);
  // And when they have come.
  HeapIn(arena)->Collect();
  ExpectExact(arena, live);
  for (const auto& [block, size] : live) test_free(block);
  ExpectExact(arena, {});
  Destroy(arena);
}

TEST_P(SurveyTest, AgainstAReferenceUnderSeveralThreads) {
  const ArenaHandle arena = Make(4 * kUnit);
  std::map<void*, size_t> live;
  for (int round = 0; round < 6; ++round) {
    std::vector<std::vector<void*>> made(3);
    std::vector<std::vector<void*>> freed(3);
    std::vector<void*> before;
    for (const auto& [block, size] : live) before.push_back(block);
    RunThreads(3, [&](unsigned t) {
      Random random(static_cast<uint64_t>(round) * 3 + t);
      for (int i = 0; i < 300; ++i) {
        const size_t alignment =
            random.Below(4) == 0 ? size_t{1} << random.Below(13) : 8;
        void* block = Allocate(arena, random.Size(17), alignment);
        ASSERT_NE(block, nullptr);
        if (random.Below(5) == 0) {
          block = test_realloc(block, random.Size(17));
          ASSERT_NE(block, nullptr);
        }
        if (random.Below(3) == 0) {
          test_free(block);
        } else {
          made[t].push_back(block);
        }
      }
      for (size_t i = t; i < before.size(); i += 3) {
        if (random.Below(2) != 0) continue;
        test_free(before[i]);
        freed[t].push_back(before[i]);
      }
    });
    for (const auto& of_thread : freed)
      for (void* block : of_thread) live.erase(block);
    for (const auto& of_thread : made)
      for (void* block : of_thread) live[block] = 0;
    // The last one of a run may have got a gap behind it since.
    for (auto& [block, size] : live) size = test_malloc_usable_size(block);
    ExpectExact(arena, live);
  }
  EXPECT_GE(TakeSnapshot(*At(arena)).threads, 1u);
  g_arenas.Reset(CurrentHeap(), arena);
  ExpectExact(arena, {});
  EXPECT_EQ(TakeSnapshot(*At(arena)).blocks_peak, 0u);
  Destroy(arena);
}

TEST_P(SurveyTest, PeaksStay) {
  const ArenaHandle arena = Make();
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(Allocate(arena, 1024));
  for (int i = 0; i < 10; ++i) blocks.push_back(Allocate(arena, 2 * kUnit));
  for (void* block : blocks) test_free(block);
  const ArenaSnapshot s = TakeSnapshot(*At(arena));
  EXPECT_EQ(s.blocks_live, 0u);
  EXPECT_EQ(s.bytes_live, 0u);
  // Whole masks count.
  EXPECT_GE(s.blocks_peak, 1010u);
  EXPECT_LE(s.blocks_peak, 1010u + 64);
  EXPECT_GE(s.bytes_peak, 1000 * 1024 + 20 * kUnit);
  EXPECT_LE(s.bytes_peak, 1064 * 1024 + 20 * kUnit);
  Destroy(arena);
}

TEST_P(SurveyTest, ClassesComeInOrder) {
  const ArenaHandle arena = Make();
  for (const size_t size : {200000, 48, 1024, 16, 20000, 70000})
    Allocate(arena, size);
  std::vector<size_t> sizes;
  for (const ClassSnapshot& c : Classes(arena)) sizes.push_back(c.block_size);
  EXPECT_EQ(sizes, monotonic() ? (std::vector<size_t>{0, 0})
                               : (std::vector<size_t>{16, 48, 1024, 20480, 0}));
  EXPECT_EQ(Classes(arena).back().blocks_live, 2u);
  EXPECT_EQ(Classes(arena).back().units, 6u);
  Destroy(arena);
}

TEST_P(SurveyTest, CommittedIsWhatWasTouched) {
  const size_t refill = ArenaBin::FreshMax(16) * size_t{16};
  const ArenaHandle arena = Make();
  Allocate(arena, 1024);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_committed,
            monotonic() ? 1024u : kUnit);
  Allocate(arena, 16);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_committed,
            monotonic() ? 1024u + 16 : kUnit + refill);
  Allocate(arena, 2 * kUnit);
  EXPECT_EQ(TakeSnapshot(*At(arena)).bytes_committed,
            2 * kUnit + (monotonic() ? 1024u + 16 : kUnit + refill));
  Destroy(arena);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
