// A thread that is stopped for as long as it takes, at any instruction of any
// call, and another one that meanwhile allocates, frees, uses arenas, gives its
// heap up and lets threads begin: nothing waits for the one that is stopped.
// (It is stopped by its own trap handler, which a debugger or SIGSTOP would do no
// otherwise as far as the others can see.)
//
//   STALL_STRIDE=1  each instruction; by default some of each operation's
//   STALL_SEED=7    where the stride begins, as a failure said
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/scenes.h"
#include "tests/contract/stepping.h"

namespace contract {
namespace {

constexpr unsigned kHangSeconds = 60;
std::atomic<const char*> g_operation{nullptr};
std::atomic<long> g_step{0};

// The other thread waits, for ever.
void OnAlarm(int) {
  char line[200];
  const int size = std::snprintf(
      line, sizeof(line), "%s: stopped at instruction %ld, it stops others\n",
      g_operation.load(), g_step.load());
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line, static_cast<size_t>(size));
  _exit(1);
}

enum Turn { kVictims, kOthers, kEnd };

class Stopped : public Stepping {
 public:
  Stopped(std::atomic<Turn>* turn, long first, long stride)
      : turn_(turn), next_(first), stride_(stride) {}
  long steps() const { return steps_; }
  long stops() const { return stops_; }

 private:
  void OnStep() override {
    if (++steps_ != next_) return;
    next_ += stride_;
    ++stops_;
    g_step = steps_;
    *turn_ = kOthers;
    while (*turn_ == kOthers) sched_yield();
  }

  std::atomic<Turn>* const turn_;
  long next_;
  const long stride_;
  long steps_ = 0;
  long stops_ = 0;
};

// What the other thread does while the victim is stopped for the n-th time.
void GoOn(const Scene& scene, long n) {
  const auto use = [](void* block) {
    ASSERT_NE(block, nullptr);
    *static_cast<volatile char*>(block) = 1;
    subject::free(block);
  };
  void* blocks[40];
  for (size_t i = 0; i < 40; ++i) blocks[i] = subject::malloc(16 << i % 10);
  for (void* const block : blocks) use(block);
  use(subject::malloc(20000));
  use(subject::arena_malloc(scene.arena, 500));
  if (n % 4 == 0) {
    for (const size_t size : {100000, 1500000, 40000000})
      use(subject::calloc(1, size / 100));
    use(subject::realloc(subject::malloc(100000), 1500000));
    subject::ArenaOptions options = Options(subject::kMonotonic);
    options.parent = n % 8 == 0 ? scene.arena : nullptr;
    subject::Arena* const arena = subject::arena_create(&options);
    static char gift[256 * kKiB];
    ASSERT_EQ(subject::arena_donate(arena, gift, sizeof(gift)), 0);
    use(subject::arena_malloc(arena, 3000));
    subject::arena_reset(arena);
    subject::arena_destroy(arena);
    GetStats();
    auto* const parts = static_cast<char*>(subject::malloc(4096));
    ASSERT_EQ(subject::free_range(parts + 1000, 2000), 0);
    EXPECT_EQ(subject::malloc_usable_size(parts), 1000u);
    use(parts);
    use(parts + 3000);
  }
  if (n % 16 == 1) {
    std::thread([&] { use(subject::malloc(100)); }).join();
    subject::purge();
    subject::thread_detach();
  }
}

class StallTest : public ContractTest,
                  public testing::WithParamInterface<Operation> {};

TEST_P(StallTest, NobodyWaits) {
  const Operation& operation = GetParam();
  const long seed = static_cast<long>(NumberOr("STALL_SEED", 1));
  SCOPED_TRACE("STALL_SEED=" + std::to_string(seed));
  g_operation = operation.name;
  const auto before = signal(SIGALRM, OnAlarm);
  auto scene = std::make_unique<Scene>();
  // The first round counts the instructions.
  long steps = 0;
  long stops = 0;
  for (int round = 0; round < 2; ++round) {
    const subject::ArenaOptions general = Options(subject::kGeneral);
    const subject::ArenaOptions monotonic = Options(subject::kMonotonic);
    scene->arena = subject::arena_create(&general);
    scene->run = subject::arena_create(&monotonic);
    const long by_default = steps < 25 ? 1 : steps / 25;
    const long stride = static_cast<long>(
        NumberOr("STALL_STRIDE", static_cast<unsigned long>(by_default)));
    std::atomic<Turn> turn{kOthers};
    std::thread victim([&] {
      operation.prepare(*scene);
      scene->victims.FillAll();
      turn = kVictims;
      while (turn == kVictims) sched_yield();
      Stopped stepping(&turn, round == 0 ? -1 : 1 + seed % stride, stride);
      stepping.Run([&] { operation.run(*scene); });
      steps = stepping.steps();
      stops = stepping.stops();
      turn = kEnd;
    });
    while (turn != kVictims) sched_yield();
    operation.interfere(*scene);
    turn = kOthers;
    // Stops come until the operation is at its end.
    for (long n = 0; turn != kEnd;) {
      alarm(kHangSeconds);
      if (turn == kOthers && g_step != 0) {
        GoOn(*scene, n++);
        g_step = 0;
        turn = kVictims;
      }
      sched_yield();
    }
    alarm(0);
    victim.join();
    scene->others.Check("another thread's");
    scene->victims.FreeAll();
    scene->others.FreeAll();
    if (scene->brief != nullptr)
      subject::arena_destroy(std::exchange(scene->brief, nullptr));
    subject::arena_destroy(scene->arena);
    subject::arena_destroy(scene->run);
  }
  signal(SIGALRM, before);
  EXPECT_GT(stops, 0);
  std::printf("%s: stopped at %ld of %ld instructions\n", operation.name, stops,
              steps);
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, StallTest, testing::ValuesIn(kOperations),
                         NameOf);

}  // namespace
}  // namespace contract
