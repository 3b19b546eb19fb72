// Instances of two releases and three configurations, linked into one program,
// that hand over to each other.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "handover/handover.h"
#include "tests/contract/crew.h"
#include "tests/handover/checked_heap.h"
#include "tests/handover/churn.h"
#include "tests/handover/duration.h"
#include "tests/handover/old_heap.h"
#include "tests/handover/today_heap.h"
#include "tests/isolation/process.h"

namespace handover_tests {
namespace {

using alcove::Handover;
using alcove::InstanceFunctions;
using contract::Crew;
using Hold = Handover::Hold;
using Status = Handover::Status;

// A sanitizer keeps what threads and mappings take in books of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCountsAddressSpace = false;
#else
constexpr bool kCountsAddressSpace = true;
#endif

const InstanceFunctions kOld = ALCOVE_INSTANCE_FUNCTIONS(old_);
const InstanceFunctions kToday = ALCOVE_INSTANCE_FUNCTIONS(today_);
const InstanceFunctions kChecked = ALCOVE_INSTANCE_FUNCTIONS(checked_);
const InstanceFunctions kAll[] = {kOld, kToday, kChecked};

struct Range {
  uintptr_t low;
  uintptr_t high;
};

// Where the blocks of an instance can be, and what it has reserved besides.
template <typename Stats>
Range RangeBy(int (*stats)(Stats*), size_t* reserved) {
  Stats s = {};
  s.struct_size = sizeof(s);
  EXPECT_EQ(stats(&s), 0);
  *reserved = s.bytes_reserved + s.bytes_metadata;
  return {s.address_low, s.address_high};
}
Range RangeOf(const InstanceFunctions& functions, size_t* reserved) {
  if (functions.malloc == kOld.malloc) return RangeBy(old_stats, reserved);
  if (functions.malloc == kToday.malloc) return RangeBy(today_stats, reserved);
  return RangeBy(checked_stats, reserved);
}

size_t Reserved(const InstanceFunctions& functions) {
  size_t reserved;
  RangeOf(functions, &reserved);
  return reserved;
}

class VersionsTest : public testing::Test {
 protected:
  ~VersionsTest() override {
    handover_.Retire();
    handover_.TryFinish();
    EXPECT_EQ(handover_.Draining(), 0u);
    handover_.Close();
    for (const InstanceFunctions& functions : kAll)
      EXPECT_EQ(Reserved(functions), 0u) << functions.version();
  }
  Handover::Report FinishOne() {
    const Handover::Reports reports = handover_.TryFinish();
    EXPECT_EQ(reports.size, 1u);
    return reports.items[0];
  }

  Handover handover_;
};

constexpr size_t kSizes[] = {0,    1,     16,    100,    1000,   4000,
                             9000, 33000, 70000, 300000, 5000000};

TEST_F(VersionsTest, AreOfTwoReleases) {
  EXPECT_STREQ(kOld.version(), "0.1.0");
  EXPECT_STRNE(kToday.version(), "0.1.0");
}

// The older one's blocks are freed, resized and measured; when they are gone, so
// is all that it had.
TEST_F(VersionsTest, TheOlderOneLeavesNothing) {
  size_t before = 0;
  for (int round = 0; round < 4; ++round) {
    for (const InstanceFunctions& from : kAll) {
      for (const InstanceFunctions& to : kAll) {
        if (&from == &to) continue;
        ASSERT_EQ(handover_.Replace(from), Status::kOk);
        handover_.TryFinish();
        ASSERT_EQ(handover_.Draining(), 0u);
        std::vector<char*> blocks;
        for (const size_t size : kSizes) {
          blocks.push_back(static_cast<char*>(handover_.Allocate(size)));
          std::memset(blocks.back(), 'x', size);
          ASSERT_NE(from.owns(blocks.back()), 0);
        }
        size_t reserved;
        const Range range = RangeOf(from, &reserved);
        ASSERT_GT(isolation::CountMappings(range.low, range.high), 0u);
        ASSERT_EQ(handover_.Replace(to), Status::kOk);
        for (size_t i = 0; i < blocks.size(); ++i) {
          ASSERT_EQ(FinishOne().hold, Hold::kBlocks);
          ASSERT_EQ(FinishOne().blocks, blocks.size() - i);
          ASSERT_EQ(handover_.UsableSize(blocks[i]),
                    from.malloc_usable_size(blocks[i]));
          auto* const moved =
              static_cast<char*>(handover_.Resize(blocks[i], kSizes[i] + 10));
          ASSERT_NE(to.owns(moved), 0);
          ASSERT_EQ(std::count(moved, moved + kSizes[i], 'x'),
                    static_cast<ptrdiff_t>(kSizes[i]));
          handover_.Free(moved);
        }
        ASSERT_EQ(FinishOne().hold, Hold::kNothing);
        EXPECT_EQ(Reserved(from), 0u);
        if (kCountsAddressSpace) {
          // Another's may lie there by now, but here nothing was mapped since.
          EXPECT_EQ(isolation::CountMappings(range.low, range.high), 0u);
        }
        handover_.Retire();
        handover_.TryFinish();
        ASSERT_EQ(handover_.Draining(), 0u);
        if (round == 0) {
          before = isolation::AddressSpace();
        } else if (kCountsAddressSpace) {
          EXPECT_EQ(isolation::AddressSpace(), before);
        }
      }
    }
  }
}

TEST_F(VersionsTest, ABlockThatIsKeptKeepsItsInstance) {
  handover_.Replace(kOld);
  auto* const kept = static_cast<char*>(handover_.Allocate(5000));
  std::memset(kept, 'k', 5000);
  handover_.Replace(kToday);
  for (int i = 0; i < 100; ++i) {
    handover_.Free(handover_.Allocate(100));
    ASSERT_EQ(FinishOne().hold, Hold::kBlocks);
  }
  EXPECT_EQ(std::count(kept, kept + 5000, 'k'), 5000);
  // Another thread's free is as good.
  std::thread([&] { handover_.Free(kept); }).join();
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

TEST_F(VersionsTest, AnArenaKeepsItsInstance) {
  handover_.Replace(kToday);
  today_arena* const arena = today_arena_create(nullptr);
  void* const block = today_arena_malloc(arena, 100);
  handover_.Replace(kOld);
  EXPECT_EQ(FinishOne().hold, Hold::kBlocks);
  EXPECT_EQ(FinishOne().arenas, 1u);
  handover_.Free(block);
  EXPECT_EQ(FinishOne().hold, Hold::kBlocks);
  today_arena_destroy(arena);
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

TEST_F(VersionsTest, AThreadThatIdlesHoldsUntilItLeavesOrEnds) {
  for (const InstanceFunctions& from : {kOld, kToday}) {
    handover_.Replace(from);
    {
      Crew ends(1);
      Crew leaves(1);
      const auto use = [&](int) {
        for (const size_t size : kSizes)
          handover_.Free(handover_.Allocate(size));
      };
      ends.Do(use);
      leaves.Do(use);
      handover_.Replace(kChecked);
      for (int i = 0; i < 10; ++i) {
        const Handover::Report report = FinishOne();
        ASSERT_EQ(report.hold, Hold::kThreads);
        ASSERT_EQ(report.threads, 2u);
      }
      leaves.Do([&](int) { handover_.Leave(); });
      EXPECT_EQ(FinishOne().threads, 1u);
    }
    EXPECT_EQ(FinishOne().hold, Hold::kNothing);
    EXPECT_EQ(Reserved(from), 0u);
  }
}

// Who calls the instance itself is seen by nobody but the instance.
TEST_F(VersionsTest, UseByOtherWaysHolds) {
  for (const InstanceFunctions& from : {kOld, kToday}) {
    handover_.Replace(from);
    void* block = nullptr;
    {
      Crew crew(1);
      crew.Do([&](int) { block = from.malloc(100); });
      handover_.Replace(kChecked);
      EXPECT_EQ(FinishOne().hold, Hold::kBlocks);
      handover_.Free(block);
      EXPECT_EQ(FinishOne().hold, Hold::kElsewhere);
      crew.Do([&](int) { from.free(from.malloc(100)); });
      EXPECT_EQ(FinishOne().hold, Hold::kElsewhere);
    }
    EXPECT_EQ(FinishOne().hold, Hold::kNothing);
  }
}

TEST_F(VersionsTest, NullIsAskedAsOfAnInstance) {
  handover_.Replace(kOld);
  handover_.Free(nullptr);
  EXPECT_EQ(handover_.UsableSize(nullptr), 0u);
  void* block = handover_.Resize(nullptr, 100);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(handover_.Resize(block, 0), nullptr);
  EXPECT_EQ(handover_.Allocate(SIZE_MAX / 2 + 1), nullptr);
  EXPECT_EQ(handover_.AllocateZeroed(SIZE_MAX / 2, 3), nullptr);
  EXPECT_EQ(handover_.AllocateAligned(3, 1), nullptr);
  block = handover_.Allocate(100);
  handover_.Replace(kToday);
  EXPECT_EQ(handover_.Resize(block, SIZE_MAX / 2 + 1), nullptr);
  EXPECT_TRUE(handover_.Owns(block)) << "it is still there";
  handover_.Free(block);
}

#if !defined(__SANITIZE_THREAD__)
using VersionsDeathTest = VersionsTest;

TEST_F(VersionsDeathTest, NobodysBlockIsTheCurrentOnes) {
  static char mine[64];
  handover_.Replace(kOld);
  EXPECT_DEATH(handover_.Free(mine),
               "alcove\\[old_\\]: free of memory that is not this instance's");
  handover_.Replace(kToday);
  EXPECT_DEATH(
      handover_.Free(mine),
      "alcove\\[today_\\]: free of memory that is not this instance's");
  EXPECT_DEATH(handover_.Resize(mine, 1),
               "alcove\\[today_\\]: size or realloc asked of memory");
  EXPECT_DEATH(handover_.UsableSize(mine),
               "alcove\\[today_\\]: size or realloc asked of memory");
}

// A double free in an old one is that one's to notice.
TEST_F(VersionsDeathTest, ADoubleFreeIsItsOwners) {
  handover_.Replace(kChecked);
  void* const block = handover_.Allocate(100);
  void* const other = handover_.Allocate(100);
  handover_.Replace(kToday);
  handover_.Free(block);
  EXPECT_DEATH(handover_.Free(block), "alcove\\[checked_\\]: double free");
  handover_.Free(other);
}

// The child of a process whose other threads are in the middle of it.
TEST_F(VersionsTest, AChildGoesOn) {
  handover_.Replace(kOld);
  const uint64_t seed = Seed();
  Churn churn(&handover_, 3, seed);
  void* const inherited = handover_.Allocate(100);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      void* const block = handover_.Allocate(100);
      if (handover_.Replace(kToday) != Status::kOk) _exit(1);
      if (block == nullptr || kOld.owns(block) == 0) _exit(2);
      handover_.Free(block);
      if (kToday.owns(handover_.Allocate(100)) == 0) _exit(3);
      handover_.TryFinish();
      if (handover_.Draining() != 1) _exit(4);
      handover_.Free(inherited);
      _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  handover_.Free(inherited);
  churn.Stop();
  EXPECT_TRUE(churn.good()) << "HANDOVER_SEED=" << seed;
}
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Threads for which there is no memory to be known by: they wait for each other,
// and keep no cache.
TEST_F(VersionsTest, ThreadsAreServedWithoutMemory) {
  constexpr int kThreads = 200;
  handover_.Replace(kToday);
  std::vector<void*> blocks;
  for (int i = 0; i < 3 * kThreads; ++i)
    blocks.push_back(handover_.Allocate(100));
  Crew crew(kThreads);
  // A cache they have already.
  crew.Do([](int) { today_free(today_malloc(1)); });
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &none), 0);
  crew.Do([&](int i) { handover_.Free(blocks[static_cast<size_t>(i)]); });
  handover_.Replace(kOld);
  crew.Do([&](int i) {
    handover_.Free(blocks[static_cast<size_t>(kThreads + i)]);
    handover_.Free(handover_.Allocate(100));
  });
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  today_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  today_stats(&stats);
  EXPECT_LT(stats.threads, static_cast<size_t>(kThreads) - 100);
  EXPECT_EQ(FinishOne().blocks, static_cast<size_t>(kThreads));
  EXPECT_LT(FinishOne().threads, static_cast<size_t>(kThreads) - 100);
  crew.Do([&](int i) {
    handover_.Free(blocks[static_cast<size_t>(2 * kThreads + i)]);
  });
  EXPECT_EQ(FinishOne().hold, Hold::kThreads);
  crew.Do([&](int) { handover_.Free(handover_.Allocate(1)); });
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
  crew.Do([&](int) { handover_.Leave(); });
}
#endif

// All at once: four threads all the time, and one that replaces.
TEST_F(VersionsTest, ThreadsNoticeNothing) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("HANDOVER_SEED=" + std::to_string(seed));
  std::minstd_rand random(static_cast<uint32_t>(seed));
  int finished[3] = {};
  int back = 0;
  ASSERT_EQ(handover_.Replace(kOld), Status::kOk);
  Churn churn(&handover_, 4, seed);
  uint64_t replaced = 0;
  const auto finish = [&] {
    for (const Handover::Report& report : handover_.TryFinish()) {
      if (report.hold != Hold::kNothing) continue;
      for (int i = 0; i < 3; ++i) {
        if (report.functions.malloc != kAll[i].malloc) continue;
        ++finished[i];
        EXPECT_EQ(Reserved(kAll[i]), 0u);
      }
    }
  };
  // However busy the machine is, each has its end.
  const auto all_finished = [&] {
    return *std::min_element(finished, finished + 3) > 0;
  };
  for (const Duration duration; !duration.IsOver() || !all_finished();) {
    // One that drains, often enough: back to it.
    const size_t draining = handover_.Draining();
    const Status status = handover_.Replace(kAll[random() % 3]);
    ASSERT_TRUE(status == Status::kOk || status == Status::kIsCurrent);
    if (status == Status::kOk) {
      ++replaced;
      back += handover_.Draining() == draining && draining != 0;
    }
    // Sometimes none is left; sometimes one is on its way.
    if (random() % 2 != 0) {
      for (int i = 0; i < 3; ++i) {
        finish();
        usleep(200);
      }
    } else {
      for (; handover_.Draining() != 0 && !duration.IsOver(); usleep(200))
        finish();
    }
  }
  churn.Stop();
  EXPECT_TRUE(churn.good());
  finish();
  EXPECT_EQ(handover_.Draining(), 0u);
  std::printf("%llu replaced, %d back; finished: %d %d %d; %llu steps\n",
              static_cast<unsigned long long>(replaced), back, finished[0],
              finished[1], finished[2],
              static_cast<unsigned long long>(churn.steps()));
}

}  // namespace
}  // namespace handover_tests
