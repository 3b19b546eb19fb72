// The same where the process may have no more address space, or no more
// mappings.
#include <sys/resource.h>

#include <algorithm>
#include <iterator>
#include <thread>

#include "tests/contract/contract.h"
#include "tests/contract/failing.h"
#include "tests/contract/stock.h"
#include "tests/isolation/process.h"
#include "tests/platform/crowd.h"

namespace contract {
namespace {

using alcove_tests::Crowd;

// ---- Address space ----

void AllowMore(size_t bytes) {
  rlimit limit;
  REQUIRE(getrlimit(RLIMIT_AS, &limit) == 0);
  const rlim_t wanted = isolation::AddressSpace() + bytes;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
}

void AllowAll() {
  rlimit limit;
  REQUIRE(getrlimit(RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
}

// Less and less is allowed, and then all again.
void NarrowAndWiden(bool from_the_start) {
  Begin();
  static Stock one(3);
  static Stock other(4);
  if (from_the_start) REQUIRE(one.Work(kCalls) == 0);
  std::thread([&] {
    for (const size_t spare : {100 * kMiB, 30 * kMiB, 12 * kMiB, 5 * kMiB, kMiB,
                               64 * kKiB, size_t{0}}) {
      AllowMore(spare);
      other.Work(kCalls);
      one.Work(kCalls);
      one.Verify();
    }
    subject::thread_detach();
    AllowAll();
  }).join();
  End(&one, &other, true);
}

TEST(AddressSpaceDeathTest, NarrowsAndWidens) {
  EXPECT_EXIT(NarrowAndWiden(false), testing::ExitedWithCode(0), "");
}

TEST(AddressSpaceDeathTest, NarrowsAndWidensUnderAnInstanceInUse) {
  EXPECT_EXIT(NarrowAndWiden(true), testing::ExitedWithCode(0), "");
}

// It comes back in pieces that are hardly worth a range, again and again: they
// must not use up the places for what comes when the system is generous.
void WidenStepByStep() {
  Begin();
  static void* blocks[64 * 1024];
  size_t count = 0;
  for (int step = 0; step < 100; ++step) {
    AllowMore(8 * kMiB);
    while (count < std::size(blocks) &&
           (blocks[count] = subject::malloc(500 * kKiB)) != nullptr) {
      Fill(blocks[count], 100, count);
      ++count;
    }
  }
  REQUIRE(count > 0);
  AllowAll();
  for (int i = 0; i < 100; ++i) {
    REQUIRE((blocks[count] = subject::malloc(10 * kMiB)) != nullptr);
    Fill(blocks[count], 100, count);
    ++count;
  }
  for (size_t i = 0; i < count; ++i) {
    REQUIRE(Holds(blocks[i], 100, i));
    subject::free(blocks[i]);
  }
  static Stock one(5);
  static Stock other(6);
  End(&one, &other, true);
}

TEST(AddressSpaceDeathTest, WidensStepByStep) {
  EXPECT_EXIT(WidenStepByStep(), testing::ExitedWithCode(0), "");
}

// ---- Mappings ----

void CrowdOut(bool from_the_start) {
  Begin();
  static Stock one(7);
  static Stock other(8);
  if (from_the_start) REQUIRE(one.Work(kCalls) == 0);
  for (const size_t spare : {0, 4, 16}) {
    const Crowd crowd(spare);
    REQUIRE(crowd.good());
    one.Work(kCalls);
    one.Verify();
  }
  REQUIRE(one.Work(kCalls) == 0);
  End(&one, &other, true);
}

class MappingsDeathTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!Crowd::IsPossible()) GTEST_SKIP() << Crowd::kImpossible;
  }
};

TEST_F(MappingsDeathTest, AreUsedUpFromTheStart) {
  EXPECT_EXIT(CrowdOut(false), testing::ExitedWithCode(0), "");
}

TEST_F(MappingsDeathTest, AreUsedUpUnderAnInstanceInUse) {
  EXPECT_EXIT(CrowdOut(true), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace contract
