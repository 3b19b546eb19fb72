#include "core/region/unit_map.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <vector>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kNone = UnitMap::kNone;

// A map over words of its own.
class Map {
 public:
  explicit Map(size_t units, size_t phase = 0)
      : words_(new UnitWord[(units + 63) / 64]) {
    map_.Init(words_.get() + (units + 63) / 64, units, phase);
  }
  UnitMap* operator->() { return &map_; }
  size_t Claim(size_t count, size_t alignment = 1) {
    size_t dirty;
    return map_.Claim(count, alignment, &dirty);
  }
  // How many of the claimed units were dirty, or kNone.
  size_t DirtyOfClaim(size_t count) {
    size_t dirty;
    return map_.Claim(count, 1, &dirty) == kNone ? kNone : dirty;
  }

 private:
  std::unique_ptr<UnitWord[]> words_;
  UnitMap map_;
};

TEST(UnitMap, ClaimsFirstFit) {
  Map map(128);
  EXPECT_EQ(map.Claim(1), 0u);
  EXPECT_EQ(map.Claim(63), 1u);
  EXPECT_EQ(map.Claim(2), 64u);
  map->Release(1, 63, false);
  EXPECT_EQ(map.Claim(3), 1u);
  EXPECT_EQ(map.Claim(61), 66u) << "60 units are left below";
  EXPECT_EQ(map.Claim(60), 4u);
  EXPECT_EQ(map->used(), 127u);
  EXPECT_EQ(map.Claim(1), 127u);
  EXPECT_EQ(map.Claim(1), kNone);
}

// Of the last word there is only a part; what is missing is nobody's ever.
TEST(UnitMap, AnyNumberOfUnits) {
  for (const size_t units : {1, 3, 63, 65, 100, 2047, 2049, 2200}) {
    Map map(units);
    EXPECT_EQ(map.Claim(units + 1), kNone) << units;
    for (size_t unit = 0; unit < units; ++unit) ASSERT_EQ(map.Claim(1), unit);
    EXPECT_EQ(map.Claim(1), kNone) << units;
    EXPECT_EQ(map->used(), units);
    map->Release(0, units, true);
    EXPECT_EQ(map->used(), 0u);
    EXPECT_EQ(map.Claim(units), 0u);
    size_t dirty;
    EXPECT_FALSE(map->ClaimAt(units, 1, &dirty));
    map->Release(0, units, true);
    EXPECT_FALSE(map->ClaimAt(units - 1, 2, &dirty));
    size_t cursor = 0;
    size_t first;
    size_t purged = 0;
    for (size_t count; map->BeginPurge(&cursor, 64, &first, &count);) {
      map->EndPurge(first, count, true);
      purged += count;
    }
    EXPECT_EQ(purged, units);
    EXPECT_EQ(map->dirty(), 0u);
    // Those that are not there are used: no sweep takes a group with them.
    map->Note(units - 1);
    cursor = 0;
    size_t count;
    const bool whole = units % 4 == 0;
    EXPECT_EQ(map->BeginSweep(4, &cursor, 64, &first, &count), whole) << units;
  }
}

TEST(UnitMap, ClaimsAcrossWords) {
  Map map(256);
  EXPECT_EQ(map.Claim(60), 0u);
  EXPECT_EQ(map.Claim(150), 60u);
  for (size_t unit = 0; unit < 256; ++unit)
    EXPECT_EQ(map->IsUsed(unit), unit < 210);
  map->Release(60, 150, false);
  for (size_t unit = 0; unit < 256; ++unit)
    EXPECT_EQ(map->IsUsed(unit), unit < 60);
  EXPECT_EQ(map.Claim(196), 60u);
}

TEST(UnitMap, WholeMap) {
  Map map(192);
  EXPECT_EQ(map.Claim(193), kNone);
  EXPECT_EQ(map.Claim(~size_t{0}), kNone);
  EXPECT_EQ(map.Claim(192), 0u);
  EXPECT_EQ(map.Claim(1), kNone);
  map->Release(0, 192, true);
  EXPECT_EQ(map.Claim(192), 0u);
}

// Every hole of every length, at every place around the bounds of words, is
// found again.
TEST(UnitMap, FindsEveryHole) {
  for (size_t first = 0; first < 128; ++first) {
    for (const size_t count : {1, 2, 3, 15, 16, 17, 63, 64}) {
      if (first + count > 128) continue;
      Map map(128);
      ASSERT_EQ(map.Claim(128), 0u);
      map->Release(first, count, false);
      ASSERT_EQ(map.Claim(count + 1), kNone);
      ASSERT_EQ(map.Claim(count), first) << count;
      ASSERT_EQ(map.Claim(1), kNone);
    }
  }
}

// Two neighbours freed one after the other are one hole: the hints must know.
TEST(UnitMap, FindsJoinedHoles) {
  for (size_t length = 2; length <= 18; ++length) {
    for (size_t order = 0; order < 2; ++order) {
      Map map(128);
      ASSERT_EQ(map.Claim(128), 0u);
      for (size_t i = 0; i < length; ++i) {
        map->Release(60 + (order == 0 ? i : length - 1 - i), 1, false);
      }
      ASSERT_EQ(map.Claim(length), 60u) << length;
    }
  }
}

// The lower of two holes, though a search has passed its place before.
TEST(UnitMap, HintsKnowOfJoinedHoles) {
  Map map(128);
  ASSERT_EQ(map.Claim(128), 0u);
  map->Release(100, 10, false);
  ASSERT_EQ(map.Claim(2), 100u);
  map->Release(60, 1, false);
  ASSERT_EQ(map.Claim(2), 102u);
  map->Release(61, 1, false);
  EXPECT_EQ(map.Claim(2), 60u);
}

TEST(UnitMap, Alignment) {
  // The first unit is number 5 from address 0.
  Map map(512, 5);
  EXPECT_EQ(map.Claim(1, 8), 3u);
  EXPECT_EQ(map.Claim(1, 8), 11u);
  EXPECT_EQ(map.Claim(2, 64), 59u);
  EXPECT_EQ(map.Claim(1, 256), 251u);
  EXPECT_EQ(map.Claim(1, 256), 507u);
  EXPECT_EQ(map.Claim(1, 256), kNone);
  EXPECT_EQ(map.Claim(8, 1), 12u);
  EXPECT_EQ(map.Claim(7, 1), 4u)
      << "aligned claims leave what lies between to others";
  EXPECT_EQ(map.Claim(3, 1), 0u);
}

TEST(UnitMap, AlignmentToAnyNumber) {
  // Units 0 to 511 are numbers 5 to 516.
  Map map(512, 5);
  EXPECT_EQ(map.Claim(1, 3), 1u);
  EXPECT_EQ(map.Claim(1, 3), 4u);
  EXPECT_EQ(map.Claim(3, 7), 9u) << "2 to 5 has 4 in it";
  EXPECT_EQ(map.Claim(1, 251), 246u);
  EXPECT_EQ(map.Claim(1, 251), 497u);
  EXPECT_EQ(map.Claim(1, 251), kNone);
}

TEST(UnitMap, AlignmentBeyondTheMap) {
  Map map(128, 1000);
  EXPECT_EQ(map.Claim(1, size_t{1} << 20), kNone);
  EXPECT_EQ(map.Claim(1, 1024), 24u);
}

TEST(UnitMap, ClaimAt) {
  Map map(128);
  size_t dirty = 7;
  EXPECT_TRUE(map->ClaimAt(10, 5, &dirty));
  EXPECT_EQ(dirty, 0u);
  EXPECT_FALSE(map->ClaimAt(14, 1, &dirty));
  EXPECT_FALSE(map->ClaimAt(5, 6, &dirty));
  EXPECT_TRUE(map->ClaimAt(5, 5, &dirty));
  EXPECT_FALSE(map->ClaimAt(127, 2, &dirty)) << "past the end";
  EXPECT_FALSE(map->ClaimAt(128, 1, &dirty));
  EXPECT_FALSE(map->ClaimAt(129, 1, &dirty));
  EXPECT_FALSE(map->ClaimAt(0, ~size_t{0}, &dirty));
  EXPECT_TRUE(map->ClaimAt(127, 1, &dirty));
  EXPECT_EQ(map->used(), 11u) << "failures take nothing";
  // One that fails in its second word gives the first one's units back.
  EXPECT_TRUE(map->ClaimAt(70, 1, &dirty));
  EXPECT_FALSE(map->ClaimAt(60, 20, &dirty));
  EXPECT_TRUE(map->ClaimAt(60, 10, &dirty));
}

TEST(UnitMap, Counts) {
  Map map(128);
  map.Claim(10);
  map.Claim(20);
  EXPECT_EQ(map->used(), 30u);
  EXPECT_EQ(map->top(), 30u);
  map->Release(0, 10, true);
  EXPECT_EQ(map->used(), 20u);
  EXPECT_EQ(map->used_peak(), 30u);
  EXPECT_EQ(map->dirty(), 10u);
  map->Release(10, 20, false);
  EXPECT_EQ(map->dirty(), 10u) << "clean ones do not count";
  EXPECT_EQ(map->top(), 30u);
}

TEST(UnitMap, DirtIsTakenWithTheUnit) {
  Map map(128);
  EXPECT_EQ(map.DirtyOfClaim(10), 0u);
  map->Release(0, 5, true);
  map->Release(5, 5, false);
  EXPECT_EQ(map.DirtyOfClaim(8), 5u);
  EXPECT_EQ(map->dirty(), 0u);
  map->Release(0, 8, false);
  EXPECT_EQ(map.DirtyOfClaim(10), 0u) << "the owner said that it is clean";
}

TEST(UnitMap, PurgeTakesDirtyRunsOutOfReach) {
  Map map(256);
  map.Claim(200);
  map->Release(10, 100, true);
  map->Release(150, 5, true);
  map->Release(160, 5, false);
  size_t cursor = 0;
  size_t first;
  size_t count;
  ASSERT_TRUE(map->BeginPurge(&cursor, 64, &first, &count));
  EXPECT_EQ(first, 10u);
  EXPECT_EQ(count, 64u) << "across a word, up to the limit";
  EXPECT_EQ(map->used(), 95u - 5u) << "being purged is not being used";
  EXPECT_EQ(map.Claim(30), 74u) << "nobody else gets them meanwhile";
  map->Release(74, 30, true);
  map->EndPurge(first, count, true);
  EXPECT_EQ(map->dirty(), 41u);
  ASSERT_TRUE(map->BeginPurge(&cursor, 64, &first, &count));
  EXPECT_EQ(first, 74u);
  EXPECT_EQ(count, 36u);
  map->EndPurge(first, count, true);
  ASSERT_TRUE(map->BeginPurge(&cursor, 64, &first, &count));
  EXPECT_EQ(first, 150u);
  EXPECT_EQ(count, 5u);
  map->EndPurge(first, count, false);
  EXPECT_FALSE(map->BeginPurge(&cursor, 64, &first, &count))
      << "clean units stay";
  EXPECT_EQ(map->dirty(), 5u) << "a purge that failed leaves the dirt";
  EXPECT_EQ(map.DirtyOfClaim(100), 0u);
}

TEST(UnitMap, RefillsAreCounted) {
  Map map(128);
  ASSERT_EQ(map.Claim(20), 0u);
  EXPECT_EQ(map->TakeRefilled(), 0u) << "beyond the top is no refill";
  map->Release(0, 10, true);
  ASSERT_EQ(map.Claim(4), 0u);
  EXPECT_EQ(map->TakeRefilled(), 0u) << "nor is what is dirty";
  size_t cursor = 0;
  size_t first;
  size_t count;
  ASSERT_TRUE(map->BeginPurge(&cursor, 64, &first, &count));
  map->EndPurge(first, count, true);
  ASSERT_EQ(map.Claim(5), 4u);
  EXPECT_EQ(map->TakeRefilled(), 5u);
  EXPECT_EQ(map->TakeRefilled(), 0u);
}

TEST(UnitMap, SweepsTakeWholeGroupsWithAMark) {
  Map map(256);
  ASSERT_EQ(map.Claim(200), 0u);
  for (const size_t unit : {3u, 9u, 70u, 140u}) map->Note(unit);
  map->Release(0, 4, true);    // a group with a mark
  map->Release(8, 3, false);   // not whole
  map->Release(64, 12, true);  // three groups, one with a mark
  map->Release(144, 4, true);  // no mark
  size_t cursor = 0;
  size_t first;
  size_t count;
  ASSERT_TRUE(map->BeginSweep(4, &cursor, 64, &first, &count));
  EXPECT_EQ(first, 0u);
  EXPECT_EQ(count, 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(map->IsUsed(i)) << "out of reach";
  map->EndSweep(first, count);
  EXPECT_FALSE(map->IsUsed(0));
  ASSERT_TRUE(map->BeginSweep(4, &cursor, 64, &first, &count));
  EXPECT_EQ(first, 68u);
  EXPECT_EQ(count, 4u);
  map->EndSweep(first, count);
  EXPECT_FALSE(map->BeginSweep(4, &cursor, 64, &first, &count));
  cursor = 0;
  EXPECT_FALSE(map->BeginSweep(4, &cursor, 64, &first, &count))
      << "the marks are gone";
  // A group may be a whole word.
  cursor = 0;
  map->Release(128, 16, true);
  map->Release(148, 52, true);
  ASSERT_TRUE(map->BeginSweep(64, &cursor, 64, &first, &count));
  EXPECT_EQ(first, 128u);
  EXPECT_EQ(count, 64u);
  map->EndSweep(first, count);
}

TEST(UnitMap, PurgeOfNothing) {
  Map map(128);
  size_t cursor = 0;
  size_t first;
  size_t count;
  EXPECT_FALSE(map->BeginPurge(&cursor, 64, &first, &count));
  map.Claim(128);
  cursor = 0;
  EXPECT_FALSE(map->BeginPurge(&cursor, 64, &first, &count));
}

// Against a plain model.
TEST(UnitMap, RandomAgainstAModel) {
  SCOPED_TRACE(Random::Seed());
  Random random(1);
  Map map(512, 3);
  std::vector<int> model(512, 0);  // 0 clean, 1 dirty, 2 used
  struct Held {
    size_t first;
    size_t count;
  };
  std::vector<Held> held;
  for (int step = 0; step < 60000; ++step) {
    const size_t action = random.Below(10);
    if (action < 5) {
      const size_t count = random.Size(7);
      const size_t alignment = size_t{1}
                               << (random.Below(4) == 0 ? random.Below(6) : 0);
      size_t dirty = 0;
      const size_t first = map->Claim(count, alignment, &dirty);
      // First fit by the model; without threads the map must find a place if
      // there is one.
      bool fits = false;
      for (size_t at = 0; at + count <= 512 && !fits; ++at) {
        fits = (at + 3) % alignment == 0 &&
               std::all_of(&model[at], &model[at] + count,
                           [](int s) { return s != 2; });
      }
      ASSERT_EQ(first != kNone, fits) << count << " at " << alignment;
      if (first == kNone) continue;
      ASSERT_EQ((first + 3) % alignment, 0u);
      size_t expected = 0;
      for (size_t i = first; i < first + count; ++i) {
        ASSERT_NE(model[i], 2) << "handed out twice";
        expected += model[i] == 1;
        model[i] = 2;
      }
      ASSERT_EQ(dirty, expected);
      held.push_back({first, count});
    } else if (action < 9 && !held.empty()) {
      const size_t which = random.Below(held.size());
      const bool dirty = random.Below(2) == 0;
      map->Release(held[which].first, held[which].count, dirty);
      for (size_t i = 0; i < held[which].count; ++i)
        model[held[which].first + i] = dirty;
      held[which] = held.back();
      held.pop_back();
    } else if (random.Below(20) == 0) {
      size_t cursor = 0;
      size_t first;
      size_t count;
      while (map->BeginPurge(&cursor, 1 + random.Below(100), &first, &count)) {
        for (size_t i = first; i < first + count; ++i) {
          ASSERT_EQ(model[i], 1);
          model[i] = 0;
        }
        map->EndPurge(first, count, true);
      }
      ASSERT_EQ(std::count(model.begin(), model.end(), 1), 0)
          << "all is purged";
    }
    ASSERT_EQ(map->used(),
              static_cast<size_t>(std::count(model.begin(), model.end(), 2)));
    ASSERT_EQ(map->dirty(),
              static_cast<size_t>(std::count(model.begin(), model.end(), 1)));
  }
}

// Claims, releases and purges at once. A word for each unit says who has it.
TEST(UnitMap, NoUnitIsHandedOutTwice) {
  SCOPED_TRACE(Random::Seed());
  constexpr size_t kUnits = 512;
  constexpr unsigned kThreads = 4;
  Map map(kUnits);
  std::vector<std::atomic<unsigned>> owners(kUnits);
  std::atomic<int> twice{0};
  const auto take = [&](size_t first, size_t count, unsigned who) {
    for (size_t i = first; i < first + count; ++i)
      twice += owners[i].exchange(who) != 0;
  };
  const auto give = [&](size_t first, size_t count, unsigned who) {
    for (size_t i = first; i < first + count; ++i)
      twice += owners[i].exchange(0) != who;
  };
  RunThreads(kThreads, [&](unsigned t) {
    Random random(t);
    const unsigned who = t + 1;
    struct Held {
      size_t first;
      size_t count;
    };
    std::vector<Held> held;
    for (int step = 0; step < 30000; ++step) {
      const size_t action = random.Below(16);
      if (action < 7) {
        const size_t count = random.Size(6);
        size_t dirty;
        const size_t first = map->Claim(
            count, action == 0 ? size_t{1} << random.Below(5) : 1, &dirty);
        if (first == kNone) continue;
        take(first, count, who);
        held.push_back({first, count});
      } else if (action < 8 && !held.empty()) {
        Held& last = held.back();
        size_t dirty;
        const size_t more = random.Size(4);
        if (!map->ClaimAt(last.first + last.count, more, &dirty)) continue;
        take(last.first + last.count, more, who);
        last.count += more;
      } else if (action < 15 && !held.empty()) {
        const size_t which = random.Below(held.size());
        give(held[which].first, held[which].count, who);
        map->Release(held[which].first, held[which].count, action % 2 == 0);
        held[which] = held.back();
        held.pop_back();
      } else if (action == 15) {
        size_t cursor = 0;
        size_t first;
        size_t count;
        while (map->BeginPurge(&cursor, 16, &first, &count)) {
          take(first, count, who);
          give(first, count, who);
          map->EndPurge(first, count, random.Below(4) != 0);
        }
      }
    }
    for (const Held& h : held) {
      give(h.first, h.count, who);
      map->Release(h.first, h.count, true);
    }
  });
  EXPECT_EQ(twice, 0);
  EXPECT_EQ(map->used(), 0u);
  for (size_t unit = 0; unit < kUnits; ++unit)
    ASSERT_FALSE(map->IsUsed(unit)) << unit;
  // All that is free and not clean is counted, and nothing else.
  size_t dirty = 0;
  EXPECT_EQ(map->dirty(), [&] {
    size_t cursor = 0;
    size_t first;
    size_t count;
    while (map->BeginPurge(&cursor, 64, &first, &count)) {
      dirty += count;
      map->EndPurge(first, count, false);
    }
    return dirty;
  }());
  EXPECT_EQ(map.Claim(kUnits), 0u) << "no unit is lost, whatever the hints say";
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
