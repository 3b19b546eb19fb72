// With the knob async_signal_safe: handlers that interrupt a call of the
// instance on the same thread, at every instruction of it, and in storms of
// signals; they allocate, and free their own blocks and those of the flow that
// they interrupted.
//
//   SIGNAL_RUNS=10000000   how many handlers the storm runs; else as many as two
//                          seconds allow
//   SIGNAL_EVERY=1         a handler before each instruction; else before some
//   SIGNAL_STRIDE=50       each how many handlers one is interrupted in turn
//   SIGNAL_SEED=7          as a failure said
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/scenes.h"
#include "tests/contract/stepping.h"

#include SUBJECT_INLINE_HEADER

static_assert(SUBJECT_NAMESPACE::inlined::internal::kCalls,
              "what is inlined could be interrupted in the middle");

namespace contract {
namespace {

uint64_t Mixed(uint64_t n) {
  n = (n ^ (n >> 31)) * 0x9e3779b97f4a7c15;
  return n ^ (n >> 29);
}

size_t SizeFor(uint64_t r) {
  if (r % 4096 == 0) return 1500000;
  if (r % 512 == 0) return 100000;
  if (r % 64 == 0) return 1000 + (r >> 16) % 20000;
  return 16 + (r >> 16) % 600;
}

// A block says itself how long it is, at both ends.
void* Marked(void* block, size_t size) {
  if (block == nullptr) return nullptr;
  memcpy(block, &size, sizeof(size));
  memset(static_cast<char*>(block) + size - 4, static_cast<int>(size % 251), 4);
  return block;
}
bool IsMarked(const void* block) {
  size_t size;
  memcpy(&size, block, sizeof(size));
  if (size > 2 * kMiB) return false;
  const auto* const end = static_cast<const unsigned char*>(block) + size;
  for (int i = 1; i <= 4; ++i) {
    if (end[-i] != size % 251) return false;
  }
  return true;
}

// What a handler does; nothing in it is gtest's, which may be interrupted.
class Handler {
 public:
  explicit Handler(uint64_t seed) : seed_(seed) {}

  void Run() {
    const uint64_t r = Mixed(seed_ + ++runs_);
    void*& own = blocks_[r % blocks_.size()];
    if (own != nullptr) {
      if (!IsMarked(own)) failed_ = __LINE__;
      if (r % 16 == 1) {
        const size_t size = SizeFor(r);
        own = Marked(subject::realloc(own, size), size);
        return;
      }
      subject::free(own);
    }
    const size_t size = SizeFor(r);
    if (r % 8 == 3) {
      own = subject::calloc(1, size);
      for (size_t i = 0; i < 16; ++i) {
        if (static_cast<const char*>(own)[i] != 0) failed_ = __LINE__;
      }
    } else if (r % 32 == 5) {
      own = subject::aligned_alloc(64, size);
    } else {
      own = subject::malloc(size);
    }
    if (own == nullptr) failed_ = __LINE__;
    Marked(own, size);
  }

  void FreeAll() {
    for (void*& block : blocks_) subject::free(std::exchange(block, nullptr));
  }

  uint64_t runs() const { return runs_; }
  // A line of this file.
  int failed() const { return failed_; }

 private:
  const uint64_t seed_;
  uint64_t runs_ = 0;
  int failed_ = 0;
  std::array<void*, 61> blocks_ = {};
};

// ---- At every instruction ----

class Interrupted : public Stepping {
 public:
  // Before each `every`th instruction from the `first` one on.
  Interrupted(Scene* scene, Handler* handler, Handler* inner, uint64_t stride,
              uint64_t first = 1, uint64_t every = 1)
      : scene_(scene),
        handler_(handler),
        inner_(inner),
        stride_(stride),
        first_(first),
        every_(every) {}

  uint64_t steps() const { return steps_; }
  uint64_t runs() const { return runs_; }

 private:
  // A handler that interrupts the handler.
  class Twice : public Stepping {
   public:
    explicit Twice(Handler* handler) : handler_(handler) {}

   private:
    void OnStep() override { handler_->Run(); }
    Handler* const handler_;
  };

  void OnStep() override {
    if (++steps_ < first_ || (steps_ - first_) % every_ != 0) return;
    const int saved = errno;
    ++runs_;
    if (runs_ % stride_ == 0) {
      Twice(inner_).Run([&] { handler_->Run(); });
    } else {
      handler_->Run();
    }
    // What the interrupted flow allocated, or is about to free.
    if (runs_ % 97 == 0) {
      void* const theirs =
          scene_->victims.blocks[runs_ / 97 % kHeldMax].exchange(nullptr);
      subject::free(theirs);
    }
    if (runs_ % 61 == 0)
      subject::free(subject::arena_malloc(scene_->arena, 100));
    // Neither has a meaning here, and neither does harm.
    if (runs_ % 1009 == 0) subject::thread_detach();
    errno = saved;
  }

  Scene* const scene_;
  Handler* const handler_;
  Handler* const inner_;
  const uint64_t stride_;
  const uint64_t first_;
  const uint64_t every_;
  uint64_t steps_ = 0;
  uint64_t runs_ = 0;
};

class SignalTest : public ContractTest,
                   public testing::WithParamInterface<Operation> {};

TEST_P(SignalTest, HandlersAtEveryInstruction) {
  const Operation& operation = GetParam();
  const uint64_t seed = NumberOr("SIGNAL_SEED", 1);
  SCOPED_TRACE("SIGNAL_SEED=" + std::to_string(seed));
  auto scene = std::make_unique<Scene>();
  const subject::ArenaOptions general = Options(subject::kGeneral);
  const subject::ArenaOptions monotonic = Options(subject::kMonotonic);
  scene->arena = subject::arena_create(&general);
  scene->run = subject::arena_create(&monotonic);
  Handler handler(seed);
  Handler inner(seed + 1000);
  const uint64_t every = NumberOr("SIGNAL_EVERY", 7);
  uint64_t runs = 0;
  std::thread interrupted([&] {
    operation.prepare(*scene);
    scene->victims.FillAll();
    std::thread([&] { operation.interfere(*scene); }).join();
    Interrupted stepping(scene.get(), &handler, &inner,
                         NumberOr("SIGNAL_STRIDE", 199), 1 + seed % every,
                         every);
    stepping.Run([&] { operation.run(*scene); });
    runs = stepping.runs();
  });
  interrupted.join();
  EXPECT_EQ(handler.failed(), 0) << "a line of this file";
  EXPECT_EQ(inner.failed(), 0) << "a line of this file, in a second handler";
  EXPECT_GT(runs, 0u);
  std::printf("%s: %lu handlers, %lu handlers of handlers\n", operation.name,
              static_cast<unsigned long>(runs),
              static_cast<unsigned long>(inner.runs()));
  // The flow's blocks are whole; it did not fill those that it got meanwhile.
  for (size_t i = 0; i < scene->victims.count; ++i) {
    void* const block = scene->victims.blocks[i];
    if (block != nullptr)
      Fill(block, std::min(scene->victims.sizes[i], Held::kFilled), i);
  }
  scene->victims.Check("the flow's");
  scene->others.Check("another thread's");
  handler.FreeAll();
  inner.FreeAll();
  scene->victims.FreeAll();
  scene->others.FreeAll();
  if (scene->brief != nullptr) subject::arena_destroy(scene->brief);
  subject::arena_destroy(scene->arena);
  subject::arena_destroy(scene->run);
  subject::purge();
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, SignalTest, testing::ValuesIn(kOperations),
                         NameOf);

// ---- Threads that come and go ----

using SignalThreadsTest = ContractTest;

// Handlers that begin at one instruction of a thread's first call, which is
// about to get a heap then, and go on to its end.
TEST_F(SignalThreadsTest, TheFirstCallOfAThread) {
  uint64_t steps = 0;
  for (uint64_t first = 1; first == 1 || first <= steps;
       first += NumberOr("SIGNAL_EVERY", 23)) {
    SCOPED_TRACE("from instruction " + std::to_string(first));
    Scene scene;
    const subject::ArenaOptions options = Options();
    scene.arena = subject::arena_create(&options);
    Handler handler(first);
    Handler inner(first + 1000);
    void* block = nullptr;
    std::thread([&] {
      // The first run counts.
      Interrupted stepping(&scene, &handler, &inner, 199,
                           steps == 0 ? ~uint64_t{0} : first);
      stepping.Run([&] { block = Marked(subject::malloc(64), 64); });
      if (steps == 0) steps = stepping.steps();
      ASSERT_NE(block, nullptr);
      EXPECT_TRUE(IsMarked(block));
      subject::free(block);
      subject::arena_destroy(scene.arena);
      handler.FreeAll();
      inner.FreeAll();
    }).join();
    ASSERT_EQ(handler.failed() + inner.failed(), 0);
    ASSERT_EQ(GetStats().blocks_live, 0u);
  }
  EXPECT_GT(steps, 500u);
}

TEST_F(SignalThreadsTest, ThreadsLeaveTheHeapsOfAllTheirLevels) {
  size_t metadata = 0;
  for (int i = 0; i < 60; ++i) {
    Handler handler(static_cast<uint64_t>(i));
    Handler inner(static_cast<uint64_t>(i) + 1000);
    std::thread([&] {
      Scene scene;
      const subject::ArenaOptions options = Options();
      scene.arena = subject::arena_create(&options);
      Interrupted(&scene, &handler, &inner, 300).Run([] {
        for (size_t size = 16; size < 1000; size *= 2)
          subject::free(subject::malloc(size));
      });
      subject::arena_destroy(scene.arena);
      handler.FreeAll();
      inner.FreeAll();
      if (i % 2 == 0) subject::thread_detach();
    }).join();
    ASSERT_EQ(handler.failed() + inner.failed(), 0);
    ASSERT_GT(inner.runs(), 0u);
    if (i == 10) metadata = GetStats().bytes_metadata;
  }
  // One can be there still while the next begins.
  EXPECT_LE(GetStats().bytes_metadata, metadata + kMiB);
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

// A handler's heap is there before the interrupted flow has one, and the instance
// is shut down by the same thread.
TEST_F(SignalThreadsTest, ShutdownFindsHeapsOfHandlersAlone) {
  class Allocator : public Stepping {
   public:
    explicit Allocator(int at) : left_(at) {}
    bool ran() const { return left_ <= 0; }

   private:
    void OnStep() override {
      if (--left_ == 0) subject::free(subject::malloc(100));
    }
    int left_;
  };
  bool ran = true;
  for (int at = 1; ran; ++at) {
    std::thread([&] {
      Allocator allocator(at);
      // It needs no heap itself.
      allocator.Run([] { subject::free(nullptr); });
      ran = allocator.ran();
      if (at % 2 == 0) {
        subject::thread_detach();
        EXPECT_EQ(GetStats().threads, 0u);
      }
      EXPECT_EQ(subject::shutdown(), 0);
      EXPECT_EQ(GetStats().bytes_reserved, 0u);
      subject::free(subject::malloc(100));
      EXPECT_EQ(subject::shutdown(), 0);
    }).join();
  }
}

// What a callback calls is no deeper than who caused it.
int g_crossed = 0;
subject::Arena* g_chain[20];
void OnCrossing(subject::Arena*, size_t, void*) {
  if (++g_crossed == 20) return;
  EXPECT_NE(subject::arena_malloc(g_chain[g_crossed], 100), nullptr);
}
TEST_F(SignalThreadsTest, CallbacksTakeNoLevels) {
  for (subject::Arena*& arena : g_chain) {
    subject::ArenaOptions options = Options();
    options.soft_quota = 1;
    options.on_soft_quota = OnCrossing;
    arena = subject::arena_create(&options);
  }
  EXPECT_NE(subject::arena_malloc(g_chain[0], 100), nullptr);
  EXPECT_EQ(g_crossed, 20);
  for (subject::Arena* const arena : g_chain) subject::arena_destroy(arena);
}

// ---- Too deep ----

class Endless : public Stepping {
 public:
  Endless(long at, int depth) : at_(at), depth_(depth) {}
  static void Call() { subject::free(subject::malloc(64)); }
  long steps() const { return steps_; }

 private:
  void OnStep() override {
    if (++steps_ == at_ && depth_ != 0) Endless(at_, depth_ - 1).Run(Call);
  }
  const long at_;
  const int depth_;
  long steps_ = 0;
};

// In the middle of malloc, which comes first.
void Nest(int depth) {
  Endless::Call();
  Endless count(0, 0);
  count.Run(Endless::Call);
  Endless(count.steps() / 3, depth).Run(Endless::Call);
}

using SignalDeathTest = ContractTest;

TEST_F(SignalDeathTest, SevenLevelsAreServed) {
  Nest(6);
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(SignalDeathTest, TheEighthStops) {
  EXPECT_STOPS(
      Nest(7),
      std::string("alcove[") + subject::prefix +
          "]: more than 7 calls at once on one thread, each in a handler that "
          "interrupted the one before, or was left by longjmp\n");
}

// ---- In a storm ----

constexpr size_t kStalls = 300;

struct Storm {
  // Blocks that anybody may take and free: flows and handlers of all threads.
  std::array<std::atomic<void*>, kStalls> stalls = {};
  std::atomic<uint64_t> runs{0};
  std::atomic<uint64_t> nested{0};
  std::atomic<int> failed{0};
  std::atomic<bool> end{false};
};
Storm* g_storm = nullptr;
thread_local uint64_t g_handled = 0;
thread_local int g_depth = 0;

void Trade(Storm* storm, uint64_t r) {
  const size_t size = SizeFor(r);
  void* const given = Marked(subject::malloc(size), size);
  if (given == nullptr) storm->failed = __LINE__;
  void* const received = storm->stalls[(r >> 40) % kStalls].exchange(given);
  if (received == nullptr) return;
  if (!IsMarked(received)) storm->failed = __LINE__;
  subject::free(received);
}

void OnSignal(int) {
  const int saved = errno;
  if (++g_depth > 1) g_storm->nested.fetch_add(1, std::memory_order_relaxed);
  const uint64_t n = g_storm->runs.fetch_add(1, std::memory_order_relaxed);
  const uint64_t r = Mixed(n * 77 + ++g_handled);
  if (r % 4 == 0) {
    subject::free(subject::malloc(16 + r % 500));
  } else {
    Trade(g_storm, r);
  }
  --g_depth;
  errno = saved;
}

// Has the calling thread interrupted every few microseconds in which it runs, however
// busy the machine is: one that is sent signals by another thread gets one for each
// time that both have run.
class OftenInterrupted {
 public:
  OftenInterrupted() {
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGPROF;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    EXPECT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer_), 0);
    itimerspec often = {};
    often.it_interval.tv_nsec = 7000;
    often.it_value.tv_nsec = 7000;
    EXPECT_EQ(timer_settime(timer_, 0, &often, nullptr), 0);
  }
  ~OftenInterrupted() { timer_delete(timer_); }
  OftenInterrupted(const OftenInterrupted&) = delete;
  OftenInterrupted& operator=(const OftenInterrupted&) = delete;

 private:
  timer_t timer_;
};

TEST_F(SignalThreadsTest, StormsOfSignals) {
  constexpr int kSignals[] = {SIGUSR1, SIGUSR2, SIGPROF};
  constexpr int kThreads = 2;
  const uint64_t wanted = NumberOr("SIGNAL_RUNS", 0);
  const uint64_t seed = NumberOr("SIGNAL_SEED", 1);
  SCOPED_TRACE("SIGNAL_SEED=" + std::to_string(seed));
  Storm storm;
  g_storm = &storm;
  struct sigaction before[3];
  for (int i = 0; i < 3; ++i) {
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART;
    sigaction(kSignals[i], &action, &before[i]);
  }
  std::vector<std::thread> threads;
  std::atomic<int> ready{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      ++ready;
      const OftenInterrupted by_timer;
      for (uint64_t i = 0; !storm.end; ++i) {
        const uint64_t r =
            Mixed(seed * 1000003 + i * kThreads + static_cast<uint64_t>(t));
        Trade(&storm, r);
        if (r % 50000 == 0) subject::thread_detach();
      }
    });
  }
  while (ready != kThreads) std::this_thread::yield();
  itimerval often = {};
  often.it_interval.tv_usec = 1000;
  often.it_value.tv_usec = 1000;
  setitimer(ITIMER_PROF, &often, nullptr);
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto goes_on = [&] {
    return wanted != 0 ? storm.runs < wanted
                       : Clock::now() - begin < std::chrono::seconds(2);
  };
  for (uint64_t i = 0; goes_on() && storm.failed == 0; ++i) {
    pthread_kill(threads[i % kThreads].native_handle(),
                 kSignals[i / kThreads % 2]);
  }
  const itimerval never = {};
  setitimer(ITIMER_PROF, &never, nullptr);
  storm.end = true;
  for (std::thread& thread : threads) thread.join();
  // One that the timer sent last may not have come yet.
  signal(SIGPROF, SIG_IGN);
  for (int i = 0; i < 3; ++i) sigaction(kSignals[i], &before[i], nullptr);
  EXPECT_EQ(storm.failed, 0) << "a line of this file";
  EXPECT_GT(storm.runs, 0u);
  std::printf("%lu handlers, %lu in others\n",
              static_cast<unsigned long>(storm.runs),
              static_cast<unsigned long>(storm.nested));
  for (auto& stall : storm.stalls) {
    void* const block = stall.exchange(nullptr);
    if (block == nullptr) continue;
    EXPECT_TRUE(IsMarked(block));
    subject::free(block);
  }
  subject::purge();
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

// In a handler that interrupted a call, the instance is busy.
TEST_F(SignalThreadsTest, ShutdownInTheMiddleIsRefused) {
  class Ender : public Stepping {
   public:
    int refused = 0;
    int done = 0;

   private:
    void OnStep() override {
      // Where nothing is under way yet it may work.
      if (subject::shutdown() == 0) {
        ++done;
      } else {
        ++refused;
      }
    }
  };
  Ender ender;
  ender.Run([] {
    void* const block = subject::malloc(100);
    asm volatile("" : : "r"(block) : "memory");
  });
  EXPECT_GT(ender.refused, 0);
  EXPECT_EQ(subject::shutdown(), 0);
}

}  // namespace
}  // namespace contract
