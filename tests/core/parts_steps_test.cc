// What other threads do and see at each step of a thread that gives a part back: it
// is run one instruction at a time.
#include <signal.h>
#include <ucontext.h>

#include <thread>

#include "core/heap/parts.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr uint64_t kTrapFlag = 0x100;

// Calls visit(step) on another thread after each instruction that this one runs,
// which waits for it, from step `from` on and until one answers false.
class Steps {
 public:
  template <typename Work, typename Visit>
  static void Run(long from, Work work, Visit visit) {
    struct sigaction action = {};
    action.sa_sigaction = Trap;
    action.sa_flags = SA_SIGINFO;
    struct sigaction before;
    sigaction(SIGTRAP, &action, &before);
    count_ = 0;
    from_ = from;
    step_ = 0;
    goes_on_ = true;
    std::atomic<long> done = 0;
    done_ = &done;
    std::thread other([&] {
      for (long seen = 0; seen >= 0;) {
        const long now = step_;
        if (now == seen) {
          std::this_thread::yield();
          continue;
        }
        seen = now;
        if (seen > 0) goes_on_ = visit(seen);
        done = seen;
      }
      test_thread_detach();
    });
    SetFlag(true);
    work();
    SetFlag(false);
    step_ = -1;
    other.join();
    sigaction(SIGTRAP, &before, nullptr);
  }

 private:
  static void Trap(int, siginfo_t*, void* context) {
    const long now = ++count_;
    if (now < from_) return;
    step_ = now;
    while (*done_ != now) std::this_thread::yield();
    if (!goes_on_) {
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &=
          ~static_cast<greg_t>(kTrapFlag);
    }
  }

  [[gnu::noinline]] static void SetFlag(bool on) {
    uint64_t flags = __builtin_ia32_readeflags_u64() & ~kTrapFlag;
    __builtin_ia32_writeeflags_u64(flags | (on ? kTrapFlag : 0));
  }

  static inline std::atomic<long> count_;
  static inline std::atomic<long> from_;
  static inline std::atomic<long> step_;
  static inline std::atomic<bool> goes_on_;
  static inline std::atomic<long>* done_;
};

class PartsStepsTest : public InstanceTest {
 protected:
  static char* Allocate(size_t size) {
    return static_cast<char*>(test_malloc(size));
  }
};

// What a thread gave back is no part's any more for it, also while another one is
// about to write that down.
TEST_F(PartsStepsTest, WhatWasLeftToBeDoneIsGoneAtOnce) {
  char* const first = Allocate(3000);
  ASSERT_EQ(test_free_range(first, 100), 0);
  char* const block = Allocate(200);
  bool posted = false;
  long wrong = 0;
  // By the first of these it is at it.
  Steps::Run(
      1000, [&] { test_free_range(first + 1000, 100); },
      [&](long) {
        if (!posted) test_free_range(block + 50, 50);
        posted = true;
        if (g_instance.parts.SizeOf(block) != 50) ++wrong;
        if (g_instance.parts.SizeOf(block + 100) != 124) ++wrong;
        return true;
      });
  EXPECT_TRUE(posted);
  EXPECT_EQ(wrong, 0);
  test_free(block);
  test_free(block + 100);
  test_free(first + 100);
  test_free(first + 1100);
}

// Two threads have a half each of a block that is whole; when the first half is gone,
// its units are others'.
TEST_F(PartsStepsTest, HalvesGoAtTheSameTime) {
  constexpr long kSteps = 250;
  for (long at = 1; at < kSteps; ++at) {
    char* const block = Allocate(4 * kUnit);
    std::vector<char*> others;
    Steps::Run(
        at, [&] { test_free_range(block + 2 * kUnit, 2 * kUnit); },
        [&](long) {
          test_free_range(block, 2 * kUnit);
          for (int i = 0; i < 70; ++i) others.push_back(Allocate(1000));
          return false;
        });
    for (char* each : others) test_free(each);
  }
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
