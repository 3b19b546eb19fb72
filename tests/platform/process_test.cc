#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace {

uint64_t MonotonicMilliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 +
         static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

TEST(Milliseconds, IsTheMonotonicClock) {
  const uint64_t before = MonotonicMilliseconds();
  const uint64_t now = Milliseconds();
  const uint64_t after = MonotonicMilliseconds();
  EXPECT_LE(now, after);
  EXPECT_GE(now + 20, before);  // it is coarse: a tick of the kernel behind
}

TEST(Milliseconds, Advances) {
  const uint64_t before = Milliseconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(40));
  const uint64_t passed = Milliseconds() - before;
  EXPECT_GE(passed, 20u);
  EXPECT_LT(passed, 20000u);
}

// Runs `body` with standard error going to a pipe, and returns what came out.
template <typename Body>
std::string Captured(Body body) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const int saved = dup(2);
  dup2(ends[1], 2);
  close(ends[1]);
  std::string text;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof(buffer))) > 0;) {
      text.append(buffer, static_cast<size_t>(n));
    }
  });
  body();
  dup2(saved, 2);
  close(saved);
  reader.join();
  close(ends[0]);
  return text;
}

TEST(WriteError, WritesAllOfIt) {
  EXPECT_EQ(Captured([] { WriteError("one line\n", 9); }), "one line\n");
  EXPECT_EQ(Captured([] { WriteError("x", 0); }), "");
  // More than a pipe holds: several write()s.
  const std::string big(1 << 20, 'a');
  EXPECT_EQ(Captured([&big] { WriteError(big.data(), big.size()); }), big);
}

TEST(WriteError, GivesUpWhenNobodyListens) {
  const int saved = dup(2);
  close(2);
  errno = 77;
  WriteError("lost", 4);
  const int error = errno;
  dup2(saved, 2);
  close(saved);
  EXPECT_EQ(error, 77);
}

void OnAbort(int) { WriteError("handled\n", 8); }

class AbortDeathTest : public testing::Test {
 protected:
  AbortDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(AbortDeathTest, RaisesTheSignal) {
  EXPECT_EXIT(Abort(), testing::KilledBySignal(SIGABRT), "");
}

TEST_F(AbortDeathTest, WhenIgnored) {
  EXPECT_EXIT(
      {
        signal(SIGABRT, SIG_IGN);
        Abort();
      },
      testing::KilledBySignal(SIGABRT), "");
}

TEST_F(AbortDeathTest, WhenBlocked) {
  EXPECT_EXIT(
      {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, nullptr);
        Abort();
      },
      testing::KilledBySignal(SIGABRT), "");
}

TEST_F(AbortDeathTest, WhenHandledTheHandlerRunsFirst) {
  EXPECT_EXIT(
      {
        signal(SIGABRT, OnAbort);
        Abort();
      },
      testing::KilledBySignal(SIGABRT), "handled");
}

TEST_F(AbortDeathTest, OnAnotherThread) {
  EXPECT_EXIT(std::thread([] { Abort(); }).join(),
              testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
