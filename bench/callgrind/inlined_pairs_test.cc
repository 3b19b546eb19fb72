// What is inlined stays as short as it is promised to be: the CPU stops after
// each instruction, and we count.
#include "bench/callgrind/inlined_pairs.h"

#include <signal.h>
#include <x86intrin.h>

#include "gtest/gtest.h"

namespace bench {
namespace {

constexpr unsigned long long kTrapFlag = 0x100;

volatile size_t g_steps;

void OnTrap(int) { g_steps = g_steps + 1; }

size_t StepsOf(PairsFunction run, size_t count) {
  struct sigaction action = {};
  action.sa_handler = OnTrap;
  struct sigaction before;
  sigaction(SIGTRAP, &action, &before);
  g_steps = 0;
  __writeeflags(__readeflags() | kTrapFlag);
  run(count);
  __writeeflags(__readeflags() & ~kTrapFlag);
  const size_t steps = g_steps;
  sigaction(SIGTRAP, &before, nullptr);
  return steps;
}

// Of one round of the loop.
size_t StepsOfOne(PairsFunction run) {
  run(10);
  return (StepsOf(run, 110) - StepsOf(run, 10)) / 100;
}

class InlinedPairsTest : public testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    Populate(GetParam());
    loop_ = StepsOfOne(PairsOfSize<Pairs::kNothing>(GetParam()));
    if (loop_ == 0) GTEST_SKIP() << "this machine does not stop at each step";
  }
  size_t loop_ = 0;
};

// g++ 12, Debian 12's, makes 22 and 14 of them; clang 14 makes 23 and 14, g++ 16
// 24 and 16.
#if defined(__clang__) || __GNUC__ != 12
constexpr unsigned kCheckedMax = 24;
constexpr unsigned kTrustedMax = 16;
#else
constexpr unsigned kCheckedMax = 22;
constexpr unsigned kTrustedMax = 14;
#endif

TEST_P(InlinedPairsTest, CheckedIsShort) {
  const auto run = PairsOfSize<Pairs::kChecked>(GetParam());
  EXPECT_LE(StepsOfOne(run) - loop_, kCheckedMax);
}

TEST_P(InlinedPairsTest, TrustedIsShorter) {
  const auto run = PairsOfSize<Pairs::kTrusted>(GetParam());
  EXPECT_LE(StepsOfOne(run) - loop_, kTrustedMax);
}

INSTANTIATE_TEST_SUITE_P(Sizes, InlinedPairsTest,
                         testing::Values(16, 64, 256, 1024));

}  // namespace
}  // namespace bench
