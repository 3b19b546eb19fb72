// The fake platform itself.
#include "platform/fake/fake.h"

#include <signal.h>
#include <string.h>

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace fake {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// Calls a primitive; true if it succeeded. `p` is a committed range of two MiB.
bool CallOnce(Primitive primitive, char* p) {
  switch (primitive) {
    case Primitive::kReserve: {
      void* const q = Reserve(kMiB, 4096);
      return q != nullptr && Unmap(q, kMiB);
    }
    case Primitive::kMap: {
      void* const q = Map(kMiB);
      return q != nullptr && Unmap(q, kMiB);
    }
    case Primitive::kMapWipedByFork: {
      void* const q = MapWipedByFork(kMiB);
      return q != nullptr && Unmap(q, kMiB);
    }
    case Primitive::kCommit:
      return Commit(p, kMiB);
    case Primitive::kUnmap:
      return Unmap(p + kMiB, 4096);
    case Primitive::kPurge:
      return Purge(p, kMiB);
    case Primitive::kMovePages:
      return MovePages(p + kMiB, p, kMiB);
    case Primitive::kRefresh:
      return Refresh(p, kMiB);
    case Primitive::kProtect:
      return Protect(p, kMiB) && Commit(p, kMiB);
    case Primitive::kIsReadable:
      return IsReadable(p);
    case Primitive::kEntropy:
      return Entropy(p, 8);
    case Primitive::kThreadMayBeAlive:
      return !ThreadMayBeAlive(1u << 29);  // it succeeds in knowing better
    case Primitive::kSharesMemory:
      return SharesMemory(CurrentProcess());
    default:
      ADD_FAILURE() << NameOf(primitive);
      return false;
  }
}

constexpr Primitive kFailing[] = {
    Primitive::kReserve,      Primitive::kMap,     Primitive::kMapWipedByFork,
    Primitive::kCommit,       Primitive::kUnmap,   Primitive::kPurge,
    Primitive::kMovePages,    Primitive::kRefresh, Primitive::kThreadMayBeAlive,
    Primitive::kSharesMemory, Primitive::kProtect, Primitive::kIsReadable,
    Primitive::kEntropy,
};

class FakeTest : public testing::TestWithParam<Primitive> {
 protected:
  FakeTest() : p_(static_cast<char*>(Map(2 * kMiB))) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
  ~FakeTest() override { Unmap(p_, 2 * kMiB); }

  // One letter a call: whether it succeeded or failed.
  std::string Pattern(int calls) {
    std::string pattern;
    for (int i = 0; i < calls; ++i)
      pattern += CallOnce(GetParam(), p_) ? 's' : 'f';
    return pattern;
  }

  char* p_;
};
using FakeDeathTest = FakeTest;

INSTANTIATE_TEST_SUITE_P(All, FakeTest, testing::ValuesIn(kFailing),
                         [](const auto& info) {
                           return std::string(NameOf(info.param));
                         });
INSTANTIATE_TEST_SUITE_P(All, FakeDeathTest, testing::ValuesIn(kFailing),
                         [](const auto& info) {
                           return std::string(NameOf(info.param));
                         });

TEST_P(FakeTest, FailsAsTold) {
  EXPECT_EQ(Pattern(3), "sss");
  {
    const ScopedFailures failures(GetParam(), Failures::Always());
    EXPECT_EQ(Pattern(3), "fff");
    EXPECT_EQ(failures.failed(), 3u);
  }
  {
    const ScopedFailures failures(GetParam(), Failures::Nth(2));
    EXPECT_EQ(Pattern(4), "sfss");
    EXPECT_EQ(failures.failed(), 1u);
  }
  {
    const ScopedFailures failures(GetParam(), Failures::From(3));
    EXPECT_EQ(Pattern(5), "ssfff");
  }
  {
    const ScopedFailures failures(GetParam(), Failures::Every(2));
    EXPECT_EQ(Pattern(6), "sfsfsf");
  }
  EXPECT_EQ(Pattern(3), "sss");
}

TEST_P(FakeTest, ScopesNest) {
  const ScopedFailures outer(GetParam(), Failures::Nth(2));
  EXPECT_EQ(Pattern(1), "s");
  {
    const ScopedFailures inner(GetParam(), Failures::Never());
    EXPECT_EQ(Pattern(3), "sss");
  }
  EXPECT_EQ(Pattern(2), "fs");
}

TEST_P(FakeTest, Counts) {
  const CallCounter counter(GetParam());
  Pattern(5);
  EXPECT_EQ(counter.calls(), 5u);
  const ScopedFailures failures(GetParam(), Failures::Always());
  Pattern(2);
  EXPECT_EQ(counter.calls(), 7u) << "failed calls count";
}

TEST_P(FakeDeathTest, Forbids) {
  EXPECT_DEATH(
      {
        const ScopedForbid forbid(GetParam());
        CallOnce(GetParam(), p_);
      },
      std::string("alcove fake platform: call of ") + NameOf(GetParam()) +
          " is forbidden here");
  { const ScopedForbid forbid(GetParam()); }
  EXPECT_EQ(Pattern(1), "s");
}

TEST_P(FakeTest, CallsHooks) {
  int calls = 0;
  {
    const ScopedHook hook(
        GetParam(), [](void* context) { ++*static_cast<int*>(context); },
        &calls);
    Pattern(3);
  }
  Pattern(3);
  EXPECT_EQ(calls, 3);
}

TEST(Fake, HooksAreNotCalledFromHooks) {
  int calls = 0;
  const ScopedHook hook(
      Primitive::kYield,
      [](void* context) {
        ++*static_cast<int*>(context);
        Yield();
      },
      &calls);
  Yield();
  EXPECT_EQ(calls, 1);
}

TEST(Fake, CountsBytes) {
  const CallCounter maps(Primitive::kMap);
  const CallCounter unmaps(Primitive::kUnmap);
  const int64_t before = MappedBytes();
  void* const a = Map(3 * kMiB);
  void* const b = Reserve(5 * kMiB, 2 * kMiB);
  EXPECT_EQ(maps.bytes(), 3 * kMiB);
  EXPECT_EQ(MappedBytes() - before, static_cast<int64_t>(8 * kMiB));
  {
    const ScopedFailures failures(Primitive::kUnmap, Failures::Always());
    EXPECT_FALSE(Unmap(a, 3 * kMiB));
  }
  EXPECT_EQ(MappedBytes() - before, static_cast<int64_t>(8 * kMiB));
  EXPECT_TRUE(Unmap(a, 3 * kMiB));
  EXPECT_TRUE(Unmap(b, 5 * kMiB));
  EXPECT_EQ(unmaps.bytes(), 11 * kMiB);
  EXPECT_EQ(MappedBytes(), before);
}

TEST(Fake, FailuresLeaveWhatTheContractSays) {
  char* const p = static_cast<char*>(Map(2 * kMiB));
  memset(p, 0x5a, 2 * kMiB);
  {
    const ScopedFailures failures(Primitive::kMovePages, Failures::Always());
    EXPECT_FALSE(MovePages(p + kMiB, p, kMiB));
  }
  for (size_t i = 0; i < kMiB; ++i) ASSERT_EQ(p[i], 0x5a);
  EXPECT_NE(p[kMiB], 0x5a) << "undefined contents are spoiled";
  {
    const ScopedFailures failures(Primitive::kUnmap, Failures::Always());
    EXPECT_FALSE(Unmap(p, kMiB));
  }
  EXPECT_EQ(p[0], 0x5a);
  {
    const ScopedFailures failures(Primitive::kPurge, Failures::Always());
    EXPECT_FALSE(Purge(p, kMiB));
  }
  EXPECT_NE(p[0], 0x5a);
  EXPECT_NE(p[0], 0);
  EXPECT_TRUE(Unmap(p, 2 * kMiB));
}

TEST(Fake, Clock) {
  {
    ScopedClock clock(1000);
    EXPECT_EQ(Milliseconds(), 1000u);
    clock.Advance(5);
    EXPECT_EQ(Milliseconds(), 1005u);
    std::thread([] { EXPECT_EQ(Milliseconds(), 1005u); }).join();
  }
  const uint64_t real = Milliseconds();
  EXPECT_NE(real, 1005u);
}

TEST(Fake, WaitForTicks) {
  const uint64_t begin = Ticks();
  WaitForTicks(1000000);
  EXPECT_GE(Ticks() - begin, 1000000u);
}

TEST(Fake, Life) {
  const ThreadId self = CurrentThread();
  constexpr ThreadId kNobody = 1u << 29;
  EXPECT_FALSE(ThreadMayBeAlive(kNobody));
  {
    const ScopedLife dead(self, false);
    const ScopedLife alive(kNobody, true);
    EXPECT_FALSE(ThreadMayBeAlive(self));
    EXPECT_TRUE(ThreadMayBeAlive(kNobody));
    const ScopedFailures failures(Primitive::kThreadMayBeAlive,
                                  Failures::Always());
    EXPECT_TRUE(ThreadMayBeAlive(self));
  }
  EXPECT_TRUE(ThreadMayBeAlive(self));
  EXPECT_FALSE(ThreadMayBeAlive(kNobody));
}

TEST(Fake, Identity) {
  const ThreadId self = CurrentThread();
  {
    const ScopedIdentity identity(77);
    EXPECT_EQ(CurrentThread(), 77u);
    std::thread([] { EXPECT_NE(CurrentThread(), 77u); }).join();
  }
  EXPECT_EQ(CurrentThread(), self);
}

TEST(Fake, TheProcessCallsItself) {
  const ProcessId self = CurrentProcess();
  {
    const ScopedProcess process(77);
    EXPECT_EQ(CurrentProcess(), 77u);
    std::thread([] { EXPECT_EQ(CurrentProcess(), 77u); }).join();
  }
  EXPECT_EQ(CurrentProcess(), self);
}

TEST(FakeDeath, OnlyWhatCanFailMayBeMadeTo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(ScopedFailures(Primitive::kCurrentThread, Failures::Always()),
               "CurrentThread cannot fail");
}

TEST(FakeDeath, TheEndIsReal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        WriteError("last words\n", 11);
        Abort();
      },
      testing::KilledBySignal(SIGABRT), "last words");
}

// Exactly one in three calls fails, whichever thread makes it.
TEST(Fake, CountsOverThreads) {
  const CallCounter counter(Primitive::kCommit);
  const ScopedFailures failures(Primitive::kCommit, Failures::Every(3));
  char* const p = static_cast<char*>(Map(kMiB));
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) {
        if (!Commit(p, 4096)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.calls(), 12000u);
  EXPECT_EQ(failed, 4000);
  EXPECT_EQ(failures.failed(), 4000u);
  Unmap(p, kMiB);
}

}  // namespace
}  // namespace fake
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
