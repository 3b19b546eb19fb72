#include "core/region/break.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr size_t kMost = Config::kSbrkReserve;

bool IsZero(const char* p, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (p[i] != 0) return false;
  }
  return true;
}

class BreakTest : public testing::Test {
 public:
  char* Move(intptr_t n) { return break_.Move(n, &generation_); }

 protected:
  ~BreakTest() override {
    break_.Release();
    generation_.Release();
    EXPECT_EQ(fake::MappedBytes(), mapped_);
    EXPECT_EQ(break_.bytes(), 0u);
    EXPECT_EQ(break_.reserved(), 0u);
  }

  const int64_t mapped_ = fake::MappedBytes();
  ForkGeneration generation_;
  Break break_;
};

TEST_F(BreakTest, NothingIsReservedBeforeItIsWanted) {
  EXPECT_FALSE(break_.Contains(&break_));
  EXPECT_FALSE(break_.Contains(nullptr));
  EXPECT_EQ(Move(-1), nullptr);
  EXPECT_EQ(fake::MappedBytes(), mapped_);
  char* const start = Move(0);
  EXPECT_NE(start, nullptr);
  EXPECT_EQ(Move(0), start);
  EXPECT_EQ(break_.reserved(), kMost);
  EXPECT_FALSE(break_.Contains(start));
}

TEST_F(BreakTest, MovesToTheByte) {
  char* const start = Move(100);
  EXPECT_EQ(AddressOf(start) % platform::PageSize(), 0u);
  EXPECT_EQ(Move(1), start + 100);
  EXPECT_EQ(Move(-51), start + 101);
  EXPECT_EQ(Move(0), start + 50);
  EXPECT_EQ(break_.bytes(), 50u);
  EXPECT_TRUE(break_.Contains(start));
  EXPECT_TRUE(break_.Contains(start + 49));
  EXPECT_FALSE(break_.Contains(start + 50));
  EXPECT_FALSE(break_.Contains(start - 1));
}

TEST_F(BreakTest, RefusesWhatCannotBe) {
  char* const start = Move(100);
  EXPECT_EQ(Move(-101), nullptr);
  EXPECT_EQ(Move(INTPTR_MIN), nullptr);
  EXPECT_EQ(Move(INTPTR_MAX), nullptr);
  EXPECT_EQ(Move(static_cast<intptr_t>(kMost) - 99), nullptr);
  EXPECT_EQ(break_.bytes(), 100u);
  EXPECT_EQ(Move(-100), start + 100);
  EXPECT_EQ(Move(-1), nullptr);
}

TEST_F(BreakTest, WhatIsAddedReadsAsZero) {
  uint64_t seed = 1;
  for (int i = 0; i < 2000; ++i) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    const size_t n = (seed >> 33) % 20000;
    if (seed >> 63 != 0) {
      char* const more = Move(static_cast<intptr_t>(n));
      ASSERT_NE(more, nullptr);
      ASSERT_TRUE(IsZero(more, n)) << i;
      memset(more, 1, n);
    } else {
      Move(-static_cast<intptr_t>(Min(n, break_.bytes())));
    }
  }
}

TEST_F(BreakTest, WhatIsGivenBackGoesToTheSystemAtOnce) {
  constexpr size_t kMiB = size_t{1} << 20;
  memset(Move(kMiB), 1, kMiB);
  const fake::CallCounter purges(Primitive::kPurge);
  Move(-static_cast<intptr_t>(kMiB / 2));
  EXPECT_EQ(purges.bytes(), kMiB / 2);
  // Less than a page.
  Move(-1);
  EXPECT_EQ(purges.calls(), 1u);
}

TEST_F(BreakTest, AFailedPurgeIsZeroAllTheSame) {
  const ScopedFailures failures(Primitive::kPurge, Failures::Always());
  memset(Move(30000), 1, 30000);
  Move(-29000);
  EXPECT_TRUE(IsZero(Move(29000), 29000));
}

TEST_F(BreakTest, WithoutAddressSpaceItIsShorter) {
  {
    const ScopedFailures failures(Primitive::kReserve, Failures{1, 3, 1});
    EXPECT_NE(Move(100), nullptr);
  }
  EXPECT_EQ(break_.reserved(), kMost / 8);
  EXPECT_EQ(Move(static_cast<intptr_t>(kMost / 8) - 99), nullptr);
}

TEST_F(BreakTest, WithoutAnyThereIsNone) {
  const ScopedFailures failures(Primitive::kReserve, Failures::Always());
  EXPECT_EQ(Move(100), nullptr);
  EXPECT_EQ(Move(0), nullptr);
}

TEST_F(BreakTest, WithoutMemoryItStaysWhereItIs) {
  char* const start = Move(100);
  {
    const ScopedFailures failures(Primitive::kCommit, Failures::Always());
    EXPECT_EQ(Move(100 << 20), nullptr);
    EXPECT_EQ(break_.bytes(), 100u);
  }
  EXPECT_EQ(Move(100 << 20), start + 100);
}

// Each thread takes, writes, and looks; some give back what is last, whoever's that
// is, when all have looked.
TEST_F(BreakTest, ManyThreadsTakeWhatIsTheirs) {
  for (int round = 0; round < 4; ++round) {
    RunThreads(4, [&](unsigned t) {
      for (int i = 0; i < 200; ++i) {
        const size_t n = 1 + (t * 37 + static_cast<unsigned>(i) * 113) % 9000;
        char* const mine = Move(static_cast<intptr_t>(n));
        ASSERT_NE(mine, nullptr);
        ASSERT_TRUE(IsZero(mine, n));
        memset(mine, static_cast<int>(t) + 1, n);
        for (size_t k = 0; k < n; ++k)
          ASSERT_EQ(mine[k], static_cast<char>(t + 1));
      }
    });
    Move(-static_cast<intptr_t>(break_.bytes()));
  }
}

// Whoever gives back takes others' memory away, which is theirs to agree on; but what
// is handed out is zero, and nobody's else.
TEST_F(BreakTest, GrowingAndShrinkingAtOnce) {
  RunThreads(4, [&](unsigned t) {
    for (int i = 0; i < 600; ++i) {
      const auto n = static_cast<intptr_t>(1 + (t * 7919 + i * 31) % 20000);
      if (t % 2 == 0) {
        ASSERT_NE(Move(n), nullptr);
      } else {
        Move(-n);
      }
    }
  });
  const size_t left = break_.bytes();
  char* const more = Move(1 << 20);
  EXPECT_TRUE(IsZero(more, 1 << 20));
  EXPECT_EQ(break_.bytes(), left + (1 << 20));
}

// The thread that shrinks is gone, in the middle: here, in a child of fork.
TEST_F(BreakTest, OneWhoDiedShrinkingIsSucceeded) {
  memset(Move(100000), 1, 100000);
  struct Forker {
    BreakTest* test;
    int status = -1;
  } forker = {this};
  const fake::ScopedHook hook(
      Primitive::kPurge,
      [](void* context) {
        auto* const self = static_cast<Forker*>(context);
        const pid_t child = fork();
        if (child == 0) {
          // As another thread of the child would.
          const fake::ScopedIdentity other(1u << 20);
          char* const more = self->test->Move(50000);
          _exit(more != nullptr && IsZero(more, 50000) ? 0 : 1);
        }
        waitpid(child, &self->status, 0);
      },
      &forker);
  EXPECT_NE(Move(-60000), nullptr);
  EXPECT_EQ(forker.status, 0);
}

// In a signal handler, say.
TEST_F(BreakTest, WhoInterruptsItsOwnShrinkingIsRefused) {
  Move(100000);
  memset(Move(0) - 100000, 1, 100000);
  struct Inner {
    BreakTest* test;
    char* grown;
    char* shrunk;
  } inner = {this, Move(0), Move(0)};
  const fake::ScopedHook hook(
      Primitive::kPurge,
      [](void* context) {
        auto* const self = static_cast<Inner*>(context);
        self->grown = self->test->Move(1);
        self->shrunk = self->test->Move(-1);
      },
      &inner);
  EXPECT_NE(Move(-60000), nullptr);
  EXPECT_EQ(inner.grown, nullptr);
  EXPECT_EQ(inner.shrunk, nullptr);
  EXPECT_EQ(break_.bytes(), 40000u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
