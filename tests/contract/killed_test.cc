// A thread that ends by a raw exit system call at any instruction of malloc and
// free: it is stepped by the CPU's trap flag, and the handler of the n-th trap
// ends it. Whatever it was at, another thread takes its heap over: what was live
// stays live, nothing is handed out twice, and no more is lost than what the one
// operation had in hand.
//
//   KILLED_STRIDE=1  each instruction; by default some of each operation's
//   KILLED_SEED=7    where the stride begins, as a failure said
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"
#include "tests/contract/scenes.h"
#include "tests/contract/stepping.h"

namespace contract {
namespace {

class KilledTest : public ContractTest,
                   public testing::WithParamInterface<Operation> {};

// The thread's end, at one of its instructions: not pthread_exit, nor what libc
// makes of exit(): nobody is told.
class End : public Stepping {
 public:
  explicit End(long steps) : left_(steps) {}
  long left() const { return left_; }

 private:
  void OnStep() override {
    if (--left_ != 0) return;
    asm volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
  }
  long left_;
};

// What one death may cost, in bytes of spans: a span that was between the region
// and its user, or units that a purge had claimed, 64 at a time; or a slab, where
// blocks of it were between it and a cache, or its announcement was cut off. Many
// cost nothing.
constexpr size_t kLostAtOnceMax = 64 * kUnit;
constexpr size_t kLostOnAverageMax = 8 * kUnit;

// A thread that takes the heap over, allocates from it more than was cached, and
// frees what the victim had.
void Inherit(Scene& scene, const std::string& when) {
  Held own;
  for (const size_t size : {16, 64, 512, 8192, 20000, 100000}) {
    const size_t count = size < 1000 ? 120 : 20;
    for (size_t i = 0; i < count; ++i) own.Make(size);
  }
  for (int i = 0; i < 50; ++i) {
    own.Add(subject::arena_malloc(scene.arena, 512), 512);
    own.Add(subject::arena_malloc(scene.run, 512), 512);
  }
  own.FillAll();
  if (scene.brief != nullptr) {
    // Its units are others' now, and none may have been so before.
    subject::arena_destroy(std::exchange(scene.brief, nullptr));
    for (int i = 0; i < 40; ++i) own.Make(8192);
    own.FillAll();
  }
  scene.victims.Check("the victim's, " + when);
  scene.others.Check("another thread's, " + when);
  own.Check("the heir's, " + when);
  scene.victims.FreeAll();
  for (size_t i = 0; i < own.count; i += 2) own.Free(i);
  for (size_t i = 0; i < 60; ++i) own.Make(512);
  for (size_t i = own.count - 60; i < own.count; ++i)
    Fill(own.blocks[i], 512, i);
  own.Check("the heir's second, " + when);
  own.FreeAll();
  subject::thread_detach();
}

TEST_P(KilledTest, AtAnyInstruction) {
  const Operation& operation = GetParam();
  const unsigned long stride = NumberOr("KILLED_STRIDE", 0);
  const unsigned long seed = NumberOr("KILLED_SEED", 1);
  Crew crew(1);  // the living
  auto scene = std::make_unique<Scene>();
  long steps_all = 0;
  long deaths = 0;
  size_t lost_most = 0;
  size_t spans_first = 0;
  size_t live_before = 0;
  size_t spans_before = 0;
  const size_t largest = (operation.largest + kUnit - 1) / kUnit * kUnit;
  // The first run counts the instructions.
  for (long steps = 1L << 60, next = 0;;) {
    const std::string when = std::string(operation.name) + ", instruction " +
                             std::to_string(steps) + " of " +
                             std::to_string(steps_all);
    std::atomic<int> stage{0};
    std::atomic<long> left{-1};
    const subject::ArenaOptions general = Options(subject::kGeneral);
    const subject::ArenaOptions monotonic = Options(subject::kMonotonic);
    scene->arena = subject::arena_create(&general);
    scene->run = subject::arena_create(&monotonic);
    std::thread victim([&] {
      operation.prepare(*scene);
      scene->victims.FillAll();
      stage = 1;
      while (stage == 1) std::this_thread::yield();
      End end(steps);
      end.Run([&] { operation.run(*scene); });
      left = end.left();
    });
    while (stage == 0) std::this_thread::yield();
    crew.Do([&](int) { operation.interfere(*scene); });
    stage = 2;
    victim.join();
    // Blocks that the victim got while it was stepped.
    for (size_t i = 0; i < scene->victims.count; ++i) {
      void* const block = scene->victims.blocks[i];
      if (block != nullptr)
        Fill(block, std::min(scene->victims.sizes[i], Held::kFilled), i);
    }
    std::thread([&] { Inherit(*scene, when); }).join();
    if (HasFatalFailure()) break;
    crew.Do([&](int) {
      scene->others.FreeAll();
      subject::thread_detach();
    });
    // Ends the children of those, too, though nobody goes on with their ends.
    subject::arena_destroy(scene->arena);
    subject::arena_destroy(scene->run);
    subject::purge();
    const subject::Stats stats = GetStats();
    if (left >= 0) {
      // It came to its end.
      if (steps_all != 0) break;
      steps_all = steps - left;
      spans_first = stats.bytes_spans;
      EXPECT_EQ(stats.blocks_live, 0u);
    } else {
      ++deaths;
      const size_t lost =
          stats.bytes_spans - std::min(stats.bytes_spans, spans_before);
      EXPECT_LE(lost, std::max(kLostAtOnceMax, largest)) << when;
      lost_most = std::max(lost_most, lost);
    }
    // What seems live is what was lost, or was not counted.
    const auto more = static_cast<ptrdiff_t>(stats.bytes_live - live_before);
    EXPECT_GE(more, 0) << when;
    EXPECT_LE(more, static_cast<ptrdiff_t>(std::max(kLostAtOnceMax, largest)))
        << when;
    live_before = stats.bytes_live;
    spans_before = stats.bytes_spans;
    next = stride != 0 ? static_cast<long>(stride) : steps_all / 3 + 1;
    steps = deaths == 0 && steps > steps_all
                ? 1 + static_cast<long>(seed * 7919 % next)
                : steps + next;
    if (steps > steps_all) break;
  }
  const size_t lost_all = spans_before - std::min(spans_before, spans_first);
  std::printf(
      "%s: %ld deaths in %ld instructions cost %zu KiB of spans in all, %zu at "
      "once\n",
      operation.name, deaths, steps_all, lost_all / kKiB, lost_most / kKiB);
  // A few deaths say nothing about an average. A block that was just being
  // freed is lost whole.
  if (deaths >= 30) {
    EXPECT_LE(lost_all, deaths * std::max(kLostOnAverageMax, largest));
  }
  // What was lost is nobody's any more, and ends with the instance.
  EXPECT_EQ(subject::shutdown(), 0);
}

using KilledRunTest = ContractTest;

// Cut off anywhere in a few instructions that mark nothing: who goes on behind the
// last block sees none of it.
TEST_F(KilledRunTest, InTheMiddleOfAMonotonicArenasBlock) {
  const subject::ArenaOptions options = Options(subject::kMonotonic);
  // Where the last block ends: in the middle of a word of marks, and at its end.
  for (const int before : {3, 63}) {
    for (long steps = 1L << 60, next = 1; next <= steps; ++next) {
      SCOPED_TRACE("instruction " + std::to_string(next) + " after " +
                   std::to_string(before) + " blocks");
      subject::Arena* const arena = subject::arena_create(&options);
      void* last = nullptr;
      const bool counts = steps == 1L << 60;
      std::thread([&] {
        for (int i = 0; i < before; ++i)
          last = subject::arena_malloc(arena, 16);
        End end(counts ? steps : next);
        end.Run([&] { subject::arena_malloc(arena, 400); });
        if (counts) steps -= end.left();
      }).join();
      std::thread([&] {
        memset(last, 1, 16);
        void* const longer = subject::arena_realloc(arena, last, 100);
        void* const block = subject::arena_malloc(arena, 200);
        ASSERT_NE(longer, nullptr);
        ASSERT_NE(block, nullptr);
        EXPECT_GE(subject::malloc_usable_size(longer), 100u);
        EXPECT_GE(subject::malloc_usable_size(block), 200u);
        Fill(block, 200, 7);
        void* const moved = subject::arena_realloc(arena, block, 4000);
        EXPECT_TRUE(Holds(moved, 200, 7));
      }).join();
      subject::arena_destroy(arena);
    }
  }
  EXPECT_EQ(subject::shutdown(), 0);
}

INSTANTIATE_TEST_SUITE_P(All, KilledTest, testing::ValuesIn(kOperations),
                         NameOf);

}  // namespace
}  // namespace contract
