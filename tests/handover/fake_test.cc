// The protocol, step by step, on instances that do what a test says.
#include "tests/handover/fake.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "handover/handover.h"
#include "tests/contract/crew.h"
#include "tests/handover/duration.h"
#include "tests/registry/sandbox.h"

namespace handover_tests {
namespace {

using alcove::Handover;
using Hold = Handover::Hold;
using Status = Handover::Status;
using A = Fake<1>;
using B = Fake<2>;
using C = Fake<3>;

class FakeTest : public testing::Test {
 protected:
  FakeTest() {
    A::Reset();
    B::Reset();
    C::Reset();
  }
  ~FakeTest() override { handover_.Close(); }

  Handover::Report FinishOne() {
    const Handover::Reports reports = handover_.TryFinish();
    EXPECT_EQ(reports.size, 1u);
    return reports.items[0];
  }

  Handover handover_;
};

void WaitFor(const std::atomic<int>& count, int value) {
  while (count != value) std::this_thread::yield();
}

TEST_F(FakeTest, NothingIsGivenBeforeTheFirst) {
  EXPECT_EQ(handover_.Allocate(1), nullptr);
  EXPECT_EQ(handover_.AllocateZeroed(1, 1), nullptr);
  EXPECT_EQ(handover_.AllocateAligned(16, 1), nullptr);
  EXPECT_EQ(handover_.Resize(nullptr, 1), nullptr);
  EXPECT_EQ(handover_.UsableSize(nullptr), 0u);
  EXPECT_FALSE(handover_.Owns(&handover_));
  handover_.Free(nullptr);
  handover_.Leave();
  handover_.Retire();
  EXPECT_EQ(handover_.TryFinish().size, 0u);
  EXPECT_EQ(handover_.Draining(), 0u);
}

TEST_F(FakeTest, BlocksGoHome) {
  ASSERT_EQ(handover_.Replace(A::Functions()), Status::kOk);
  void* const a = handover_.Allocate(1);
  ASSERT_EQ(handover_.Replace(B::Functions()), Status::kOk);
  void* const b = handover_.Allocate(1);
  EXPECT_TRUE(A::Owns(a) && B::Owns(b));
  EXPECT_TRUE(handover_.Owns(a) && handover_.Owns(b));
  EXPECT_FALSE(handover_.Owns(C::Block(0)));
  handover_.Free(b);
  EXPECT_EQ(A::frees, 0);
  handover_.Free(a);
  EXPECT_EQ(A::frees, 1);
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
  EXPECT_EQ(A::shutdowns, 1);
  EXPECT_EQ(handover_.Draining(), 0u);
}

TEST_F(FakeTest, WhatLivesHolds) {
  handover_.Replace(A::Functions());
  void* const block = handover_.Allocate(1);
  handover_.Replace(B::Functions());
  A::arenas = 2;
  Handover::Report report = FinishOne();
  EXPECT_EQ(report.hold, Hold::kBlocks);
  EXPECT_EQ(report.blocks, 1u);
  EXPECT_EQ(report.arenas, 2u);
  EXPECT_EQ(report.functions.malloc, A::Functions().malloc);
  handover_.Free(block);
  EXPECT_EQ(FinishOne().hold, Hold::kBlocks) << "arenas live";
  A::arenas = 0;
  A::count_error = EINVAL;
  EXPECT_EQ(FinishOne().hold, Hold::kBlocks) << "nobody knows";
  A::count_error = 0;
  A::shutdown_error = EBUSY;
  EXPECT_EQ(FinishOne().hold, Hold::kElsewhere);
  EXPECT_TRUE(handover_.Owns(block)) << "all is as before";
  A::shutdown_error = 0;
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
  EXPECT_FALSE(handover_.Owns(block));
}

// An idle thread that has a cache holds it, whatever the counts say.
TEST_F(FakeTest, CachesHold) {
  contract::Crew crew(3);
  handover_.Replace(A::Functions());
  crew.Do([&](int) {
    handover_.Owns(nullptr);  // to be ready is to hold it
    handover_.Free(handover_.Allocate(1));
  });
  handover_.Replace(B::Functions());
  Handover::Report report = FinishOne();
  EXPECT_EQ(report.hold, Hold::kThreads);
  EXPECT_EQ(report.threads, 3u);
  EXPECT_EQ(A::detaches, 0);
  crew.DoOn(0, [&] { handover_.Leave(); });
  EXPECT_EQ(A::detaches, 1);
  EXPECT_EQ(FinishOne().threads, 2u);
  // Any operation will do.
  crew.DoOn(1, [&] { handover_.Owns(nullptr); });
  EXPECT_EQ(A::detaches, 2);
  EXPECT_EQ(FinishOne().threads, 1u);
  crew.DoOn(2, [&] { handover_.Free(handover_.Allocate(1)); });
  EXPECT_EQ(A::detaches, 3);
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
  crew.Do([&](int) { handover_.Free(handover_.Allocate(1)); });
  EXPECT_EQ(A::detaches, 3);
}

TEST_F(FakeTest, TheEndOfAThreadLeaves) {
  handover_.Replace(A::Functions());
  handover_.Replace(B::Functions());
  {
    contract::Crew crew(1);
    // Not of the current one: nobody but for the sake of a block of A.
    crew.Do([&](int) {
      ++A::blocks;
      handover_.Free(A::Block(0));
    });
    EXPECT_EQ(FinishOne().threads, 1u);
    EXPECT_EQ(A::detaches, 0);
  }
  EXPECT_EQ(A::detaches, 1);
  EXPECT_EQ(B::detaches, 1);
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

// A thread that let go and comes back with a block to free holds it again.
TEST_F(FakeTest, ThreadsAreAskedAgain) {
  contract::Crew crew(1);
  handover_.Replace(A::Functions());
  crew.Do([&](int) { handover_.Free(handover_.Allocate(1)); });
  handover_.Replace(B::Functions());
  for (int round = 1; round <= 3; ++round) {
    EXPECT_EQ(FinishOne().hold, Hold::kThreads);
    crew.Do([&](int) {
      handover_.Free(handover_.Allocate(1));
      EXPECT_EQ(A::detaches, round);
      ++A::blocks;
      handover_.Free(A::Block(0));
    });
    EXPECT_EQ(A::detaches, round) << "once, not with each operation";
  }
  crew.Do([&](int) { handover_.Leave(); });
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

// Counts are sums over what threads change meanwhile: a zero counts only if
// nobody came.
TEST_F(FakeTest, ACountIsNotBelievedWhileSomebodyCame) {
  static Handover* handover;
  static contract::Crew* crew;
  handover = &handover_;
  contract::Crew one(1);
  crew = &one;
  handover_.Replace(A::Functions());
  // The first call of a thread waits for TryFinish to be done.
  one.Do([](int) {
    handover->Free(handover->Allocate(1));
    handover->Leave();
  });
  handover_.Replace(B::Functions());
  A::before_count = [] {
    // The second count of TryFinish.
    static int counts = 0;
    if (++counts % 2 != 0) return;
    // Frees, lets go, and there is no trace but that it was there.
    crew->Do([](int) {
      ++A::blocks;
      handover->Free(A::Block(0));
      handover->Leave();
    });
  };
  EXPECT_EQ(FinishOne().hold, Hold::kThreads);
  EXPECT_EQ(A::shutdowns, 0);
  A::before_count = nullptr;
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

// Who is about to allocate in it began when it was the current one.
TEST_F(FakeTest, AnAllocationInsideHolds) {
  handover_.Replace(A::Functions());
  // The second time it has been draining before.
  for (int round = 0; round < 2; ++round) {
    const int mallocs = A::mallocs;
    A::is_blocking = true;
    std::thread late([&] { EXPECT_TRUE(A::Owns(handover_.Allocate(1))); });
    WaitFor(A::blocked, 1);
    handover_.Replace(B::Functions());
    EXPECT_EQ(FinishOne().hold, Hold::kCalls);
    A::is_blocking = false;
    late.join();
    EXPECT_EQ(A::mallocs, mallocs + 1);
    EXPECT_EQ(FinishOne().hold, Hold::kBlocks);
    handover_.Free(A::Block(0));
    if (round == 0) handover_.Replace(A::Functions());
    while (round == 0 && handover_.Draining() != 0) handover_.TryFinish();
    B::is_gone = false;
  }
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

// The same by the inlined paths, which are those of a thread that is ready.
TEST_F(FakeTest, WhoIsReadyIsMarked) {
  contract::Crew crew(1);
  for (const bool frees : {false, true}) {
    handover_.Replace(A::Functions());
    // None is draining, or a free would ask first whose it is.
    while (handover_.Draining() != 0) handover_.TryFinish();
    B::is_gone = false;
    void* block = nullptr;
    crew.Do([&](int) { block = handover_.Allocate(1); });
    A::is_blocking = true;
    std::thread replaces([&] {
      WaitFor(A::blocked, 1);
      handover_.Replace(B::Functions());
      A::blocks = 0;
      EXPECT_EQ(FinishOne().hold, Hold::kCalls);
      A::blocks = 1;
      A::is_blocking = false;
    });
    crew.Do([&](int) {
      if (frees) {
        handover_.Free(block);
      } else {
        block = handover_.Allocate(1);
      }
    });
    replaces.join();
    A::blocks = 0;
    crew.Do([&](int) { handover_.Leave(); });
    EXPECT_EQ(FinishOne().hold, Hold::kNothing);
    A::is_gone = false;
  }
}

// Who asks whose an address is has no cache; still it is inside.
TEST_F(FakeTest, AQuestionInsideHolds) {
  handover_.Replace(A::Functions());
  handover_.Replace(B::Functions());
  // Settled, so that nothing else is in the way.
  A::arenas = 1;
  EXPECT_EQ(FinishOne().hold, Hold::kBlocks);
  A::arenas = 0;
  A::is_blocking = true;
  std::thread late([&] { EXPECT_FALSE(handover_.Owns(C::Block(0))); });
  WaitFor(A::blocked, 1);
  EXPECT_EQ(FinishOne().hold, Hold::kCalls);
  EXPECT_TRUE(handover_.Draining() == 1 && A::shutdowns == 0);
  A::is_blocking = false;
  late.join();
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

// A thread that is inside whenever one looks, but not in the same operation,
// does not keep it for ever.
TEST_F(FakeTest, OneThatAllocatesAllTheTimeDoesNotHold) {
  std::atomic<bool> done{false};
  handover_.Replace(A::Functions());
  std::thread busy([&] {
    while (!done) handover_.Free(handover_.Allocate(1));
  });
  while (A::mallocs == 0) std::this_thread::yield();
  handover_.Replace(B::Functions());
  while (handover_.Draining() != 0) handover_.TryFinish();
  done = true;
  busy.join();
  EXPECT_EQ(A::shutdowns, 1);
}

TEST_F(FakeTest, GoingBackKeepsTheBlocks) {
  handover_.Replace(A::Functions());
  void* const a = handover_.Allocate(1);
  handover_.Replace(B::Functions());
  void* const b = handover_.Allocate(1);
  EXPECT_EQ(handover_.Replace(A::Functions()), Status::kOk);
  EXPECT_EQ(handover_.Draining(), 1u);
  EXPECT_TRUE(A::Owns(handover_.Allocate(1)));
  handover_.Free(A::Block(1));
  handover_.Free(b);
  EXPECT_EQ(FinishOne().functions.malloc, B::Functions().malloc);
  EXPECT_EQ(B::shutdowns, 1);
  // And again after it was shut down.
  B::is_gone = false;
  EXPECT_EQ(handover_.Replace(B::Functions()), Status::kOk);
  handover_.Free(handover_.Allocate(1));
  handover_.Free(a);
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
  EXPECT_EQ(A::shutdowns, 1);
}

TEST_F(FakeTest, ResizeMovesToTheCurrentOne) {
  handover_.Replace(A::Functions());
  auto* const old = static_cast<char*>(handover_.Allocate(64));
  for (int i = 0; i < 64; ++i) old[i] = static_cast<char>(i);
  EXPECT_EQ(handover_.Resize(old, 60), old);
  handover_.Replace(B::Functions());
  auto* const moved = static_cast<char*>(handover_.Resize(old, 64));
  ASSERT_TRUE(B::Owns(moved));
  for (int i = 0; i < 64; ++i) EXPECT_EQ(moved[i], i);
  EXPECT_EQ(A::frees, 1);
  // Without a current one it stays where it is, if there is room.
  handover_.Retire();
  EXPECT_EQ(handover_.Resize(moved, 64), moved);
  EXPECT_EQ(handover_.Resize(moved, 65), nullptr);
  EXPECT_EQ(handover_.UsableSize(moved), 64u);
  EXPECT_EQ(handover_.Resize(moved, 0), nullptr);
  EXPECT_EQ(B::frees, 1);
}

TEST_F(FakeTest, RetiringEndsAll) {
  handover_.Replace(A::Functions());
  void* const block = handover_.Allocate(1);
  handover_.Retire();
  EXPECT_EQ(handover_.Allocate(1), nullptr);
  EXPECT_EQ(FinishOne().hold, Hold::kBlocks);
  handover_.Free(block);
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
  EXPECT_EQ(handover_.Replace(B::Functions()), Status::kOk);
  EXPECT_TRUE(B::Owns(handover_.Allocate(1)));
}

template <int... kNumbers>
void ReplaceByEach(Handover* handover,
                   std::integer_sequence<int, kNumbers...>) {
  (Fake<100 + kNumbers>::Reset(), ...);
  (handover->Replace(Fake<100 + kNumbers>::Functions()), ...);
}

TEST_F(FakeTest, EightMayDrain) {
  ReplaceByEach(&handover_, std::make_integer_sequence<int, 9>());
  EXPECT_EQ(handover_.Draining(), Handover::kDrainingMax);
  EXPECT_EQ(handover_.Replace(A::Functions()), Status::kFull);
  EXPECT_EQ(A::mallocs, 0);
  EXPECT_TRUE(Fake<108>::Owns(handover_.Allocate(1))) << "all is as before";
  EXPECT_EQ(handover_.Replace(Fake<100>::Functions()), Status::kOk) << "back";
  handover_.Retire();
  EXPECT_EQ(handover_.Replace(A::Functions()), Status::kFull);
  Fake<103>::arenas = 1;
  const Handover::Reports reports = handover_.TryFinish();
  EXPECT_EQ(reports.size, 9u);
  EXPECT_EQ(handover_.Draining(), 2u) << "Fake<108> has a block";
  EXPECT_EQ(handover_.Replace(A::Functions()), Status::kOk);
}

TEST_F(FakeTest, WrongInput) {
  handover_.Replace(A::Functions());
  EXPECT_EQ(handover_.Replace(A::Functions()), Status::kIsCurrent);
  const auto refuses = [&](auto change) {
    alcove::InstanceFunctions functions = B::Functions();
    change(&functions);
    EXPECT_EQ(handover_.Replace(functions), Status::kBadFunctions);
    EXPECT_EQ(handover_.Draining(), 0u);
  };
  refuses([](auto* f) { f->struct_size = 0; });
  refuses([](auto* f) { f->struct_size = sizeof(*f) - 1; });
  refuses([](auto* f) { f->malloc = nullptr; });
  refuses([](auto* f) { f->calloc = nullptr; });
  refuses([](auto* f) { f->realloc = nullptr; });
  refuses([](auto* f) { f->aligned_alloc = nullptr; });
  refuses([](auto* f) { f->free = nullptr; });
  refuses([](auto* f) { f->malloc_usable_size = nullptr; });
  refuses([](auto* f) { f->owns = nullptr; });
  refuses([](auto* f) { f->thread_detach = nullptr; });
  refuses([](auto* f) { f->shutdown = nullptr; });
  refuses([](auto* f) { f->version = nullptr; });
  refuses([](auto* f) { f->count_live = nullptr; });
  // A plugin's, built with a later header.
  alcove::InstanceFunctions longer = B::Functions();
  longer.struct_size += 8;
  EXPECT_EQ(handover_.Replace(longer), Status::kOk);
}

TEST_F(FakeTest, AnInstanceHasOneHandover) {
  Handover other;
  EXPECT_EQ(handover_.Replace(A::Functions()), Status::kOk);
  EXPECT_EQ(other.Replace(A::Functions()), Status::kIsTaken);
  handover_.Replace(B::Functions());
  EXPECT_EQ(other.Replace(A::Functions()), Status::kIsTaken) << "draining";
  handover_.TryFinish();
  A::is_gone = false;
  EXPECT_EQ(other.Replace(A::Functions()), Status::kOk);
  EXPECT_TRUE(A::Owns(other.Allocate(1)));
  EXPECT_TRUE(B::Owns(handover_.Allocate(1)));
  other.Close();
}

TEST_F(FakeTest, ThereIsABoundOfHandovers) {
  handover_.Replace(A::Functions());
  Handover others[14];
  [&]<int... kNumbers>(std::integer_sequence<int, kNumbers...>) {
    (Fake<100 + kNumbers>::Reset(), ...);
    int i = 0;
    const Status statuses[] = {
        others[i++].Replace(Fake<100 + kNumbers>::Functions())...};
    for (const Status status : statuses) EXPECT_EQ(status, Status::kOk);
  }
  (std::make_integer_sequence<int, 14>());
  Handover last;
  EXPECT_EQ(last.Replace(B::Functions()), Status::kNoRoom);
  EXPECT_TRUE(Fake<113>::Owns(others[13].Allocate(1)));
  others[13].Close();
  EXPECT_EQ(last.Replace(B::Functions()), Status::kOk);
  EXPECT_TRUE(B::Owns(last.Allocate(1)));
  last.Close();
  for (Handover& other : others) other.Close();
}

// What threads know of a handover that is closed is not taken for the next one's.
TEST_F(FakeTest, AClosedOneMayBeginAgain) {
  contract::Crew crew(1);
  for (int round = 1; round <= 3; ++round) {
    handover_.Replace(A::Functions());
    crew.Do([&](int) { EXPECT_TRUE(A::Owns(handover_.Allocate(1))); });
    handover_.Close();
    EXPECT_EQ(handover_.Allocate(1), nullptr);
    handover_.Replace(B::Functions());
    crew.Do([&](int) { EXPECT_TRUE(B::Owns(handover_.Allocate(1))); });
    EXPECT_EQ(A::shutdowns + A::detaches, 0);
    handover_.Close();
  }
}

#if !defined(__SANITIZE_THREAD__)
using FakeDeathTest = FakeTest;

TEST_F(FakeDeathTest, NobodysBlockStops) {
  char mine;
  EXPECT_DEATH(handover_.Free(&mine),
               "alcove::Handover: use of memory that is no instance's, at 0x");
  handover_.Replace(A::Functions());
  EXPECT_DEATH(handover_.Free(&mine), "fake 1: foreign");
  handover_.Retire();
  EXPECT_DEATH(handover_.UsableSize(&mine), "that is no instance's, at 0x");
}

// Without its barrier TryFinish can conclude nothing.
TEST_F(FakeDeathTest, ABarrierThatFailsHolds) {
  handover_.Replace(A::Functions());
  if (!alcove::handover_internal::BarrierReachesAll()) GTEST_SKIP();
  handover_.Replace(B::Functions());
  EXPECT_EXIT(
      {
        registry_tests::Refuse({{SYS_membarrier, EPERM}});
        _exit(FinishOne().hold == Hold::kCalls ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_EQ(FinishOne().hold, Hold::kNothing);
}

// The thread that forked goes on in the child; the others are not there, what
// they were in the middle of does not hold anybody up.
TEST_F(FakeTest, AChildGoesOn) {
  contract::Crew crew(1);
  handover_.Replace(A::Functions());
  crew.Do([&](int) { handover_.Free(handover_.Allocate(1)); });
  A::is_blocking = true;
  std::thread inside([&] { handover_.Free(handover_.Allocate(1)); });
  WaitFor(A::blocked, 1);
  const pid_t child = fork();
  if (child == 0) {
    A::is_blocking = false;
    handover_.Free(handover_.Allocate(1));
    if (handover_.Replace(B::Functions()) != Status::kOk) _exit(1);
    if (FinishOne().hold != Hold::kNothing) _exit(2);
    std::thread([&] {
      if (!B::Owns(handover_.Allocate(1))) _exit(3);
    }).join();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  A::is_blocking = false;
  inside.join();
}
#endif

// A thread asks while instances come and go: those that are gone notice any
// call.
TEST_F(FakeTest, NobodyIsInWhatIsGone) {
  std::atomic<bool> done{false};
  // Longer than it takes to look for a mark and shut down.
  A::stay = B::stay = 100;
  handover_.Replace(A::Functions());
  std::thread asks([&] {
    char mine;
    while (!done) handover_.Owns(&mine);
  });
  bool is_a = true;
  int cycles = 0;
  for (const Duration duration; !duration.IsOver(); ++cycles) {
    if (is_a) {
      B::is_gone = false;
      ASSERT_EQ(handover_.Replace(B::Functions()), Status::kOk);
    } else {
      A::is_gone = false;
      ASSERT_EQ(handover_.Replace(A::Functions()), Status::kOk);
    }
    is_a = !is_a;
    while (handover_.Draining() != 0) handover_.TryFinish();
  }
  done = true;
  asks.join();
  EXPECT_EQ(A::shutdowns + B::shutdowns, cycles);
  RecordProperty("cycles", cycles);
}

}  // namespace
}  // namespace handover_tests
