#include "core/heap/extents.h"

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr uint64_t kAny = ~uint64_t{0};

class ExtentsTest : public testing::Test {
 protected:
  void SetUp() override { store_.Begin(&region_); }
  void TearDown() override {
    store_.Release();
    region_.Release();
  }

  Region region_;
  Store store_;
  Extents sets_;
};

// Beside sets of the standard library's, with changes of several pairs.
TEST_F(ExtentsTest, AreOrderedSets) {
  constexpr uint64_t kSeed = 5;
  std::mt19937_64 random(kSeed);
  std::set<std::pair<uint64_t, uint64_t>> expected[Extents::kSets];
  for (int round = 0; round < 20000; ++round) {
    ASSERT_TRUE(sets_.Begin(&store_));
    for (unsigned i = random() % 5; i != 0; --i) {
      const unsigned set = random() % Extents::kSets;
      auto& model = expected[set];
      if (random() % 100 < 48 && !model.empty()) {
        auto at = model.lower_bound({random() % 5000, 0});
        if (at == model.end()) at = model.begin();
        sets_.Erase(set, {at->first, at->second});
        model.erase(at);
      } else {
        const Pair pair = {random() % 5000, random() % 3};
        if (!model.insert({pair.first, pair.second}).second) continue;
        sets_.Insert(set, pair);
      }
      Pair found;
      const Pair bound = {random() % 5000, random() % 3};
      auto at = model.lower_bound({bound.first, bound.second});
      ASSERT_EQ(sets_.AtLeastNow(set, bound, &found), at != model.end())
          << "seed " << kSeed << " round " << round;
      if (at != model.end()) {
        ASSERT_TRUE((found == Pair{at->first, at->second}));
      }
    }
    sets_.Commit();
    const unsigned set = random() % Extents::kSets;
    const auto& model = expected[set];
    const Pair bound = {random() % 5000, random() % 3};
    auto at = model.upper_bound({bound.first, bound.second});
    Pair found;
    ASSERT_EQ(sets_.AtMost(set, bound, &found), at != model.begin());
    if (at != model.begin()) {
      --at;
      ASSERT_TRUE((found == Pair{at->first, at->second}));
    }
  }
}

TEST_F(ExtentsTest, AreAsBeforeUntilTheCommit) {
  for (uint64_t i = 0; i < 1000; ++i) {
    if (i % 10 == 0) {
      ASSERT_TRUE(sets_.Begin(&store_));
    }
    sets_.Insert(0, {i * 2, 0});
    if (i % 10 == 9) sets_.Commit();
  }
  ASSERT_TRUE(sets_.Begin(&store_));
  for (uint64_t i = 0; i < 10; ++i) sets_.Erase(0, {i * 100, 0});
  for (uint64_t i = 0; i < 10; ++i) sets_.Insert(0, {i * 50 + 1, 0});
  Pair found;
  for (uint64_t i = 0; i < 1999; ++i) {
    ASSERT_TRUE(sets_.AtMost(0, {i, kAny}, &found));
    ASSERT_EQ(found.first, i / 2 * 2);
  }
  // It is never committed, as by a thread that was stopped there.
  ASSERT_TRUE(sets_.Begin(&store_));
  for (uint64_t i = 0; i < 1999; ++i) {
    ASSERT_TRUE(sets_.AtMostNow(0, {i, kAny}, &found));
    ASSERT_EQ(found.first, i / 2 * 2);
  }
  sets_.Commit();
  EXPECT_TRUE(sets_.AtMost(0, {6, kAny}, &found));
  EXPECT_EQ(found.first, 6u);
}

// What is always in the set is always found, whatever goes on beside it.
TEST_F(ExtentsTest, AreReadWhileTheyChange) {
  for (uint64_t i = 1; i <= 64; ++i) {
    ASSERT_TRUE(sets_.Begin(&store_));
    sets_.Insert(0, {i << 20, i});
    sets_.Commit();
  }
  std::atomic<bool> done = false;
  std::atomic<size_t> wrong = 0;
  std::thread reader([&] {
    uint64_t i = 1;
    while (!done) {
      i = i % 64 + 1;
      Pair found;
      if (!sets_.AtMost(0, {i << 20, kAny}, &found) || found.second != i)
        ++wrong;
    }
  });
  std::mt19937_64 random(3);
  std::set<uint64_t> in;
  for (int round = 0; round < 30000; ++round) {
    ASSERT_TRUE(sets_.Begin(&store_));
    const uint64_t value = ((random() % 64 + 1) << 20) + 1 + random() % 50;
    if (in.insert(value).second) {
      sets_.Insert(0, {value, 1000});
    } else {
      in.erase(value);
      sets_.Erase(0, {value, 1000});
    }
    sets_.Commit();
  }
  done = true;
  reader.join();
  EXPECT_EQ(wrong, 0u);
}

// Nodes are used again: what changes for long needs no more memory.
TEST_F(ExtentsTest, NeedNoMoreMemoryForMoreChanges) {
  const auto change = [&] {
    for (uint64_t i = 0; i < 1000; ++i) {
      ASSERT_TRUE(sets_.Begin(&store_));
      sets_.Insert(0, {i % 100, 0});
      sets_.Insert(1, {i % 50, 0});
      sets_.Commit();
      ASSERT_TRUE(sets_.Begin(&store_));
      sets_.Erase(0, {i % 100, 0});
      sets_.Erase(1, {i % 50, 0});
      sets_.Commit();
    }
  };
  change();
  // Two chunks: the nodes, and what is taken when these are few.
  const fake::ScopedForbid none(Primitive::kMap);
  change();
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
