#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace {

TEST(CurrentThread, IsTheKernelsId) {
  EXPECT_EQ(CurrentThread(), static_cast<ThreadId>(syscall(SYS_gettid)));
  std::thread([] {
    EXPECT_EQ(CurrentThread(), static_cast<ThreadId>(syscall(SYS_gettid)));
  }).join();
}

TEST(CurrentThread, DiffersAmongTheLiving) {
  const ThreadId main = CurrentThread();
  std::thread([main] { EXPECT_NE(CurrentThread(), main); }).join();
}

TEST(SharesMemory, OneselfAndAChildThatTheParentWaitsFor) {
  if (!SharesMemory(CurrentProcess()))
    GTEST_SKIP() << "the system call kcmp is not allowed here";
  const pid_t parent = getpid();
  const pid_t child = vfork();
  if (child == 0) {
    _exit(SharesMemory(static_cast<ProcessId>(parent)) ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(SharesMemory, AnyThreadSpeaksForItsProcess) {
  if (!SharesMemory(CurrentProcess()))
    GTEST_SKIP() << "the system call kcmp is not allowed here";
  ThreadId thread = 0;
  std::thread([&thread] {
    thread = CurrentThread();
    EXPECT_TRUE(SharesMemory(thread));
  }).join();
  while (ThreadMayBeAlive(thread)) Yield();
  EXPECT_FALSE(SharesMemory(thread)) << "it is gone";
}

TEST(SharesMemory, NotAChildOfFork) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    _exit(SharesMemory(static_cast<ProcessId>(parent)) ? 1 : 0);
  }
  EXPECT_FALSE(SharesMemory(static_cast<ProcessId>(child)));
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(SharesMemory(static_cast<ProcessId>(child))) << "it is gone";
}

TEST(ThreadMayBeAlive, Oneself) {
  EXPECT_TRUE(ThreadMayBeAlive(CurrentThread()));
}

TEST(ThreadMayBeAlive, ALivingThread) {
  std::atomic<ThreadId> id{0};
  std::atomic<bool> stop{false};
  std::thread thread([&] {
    id = CurrentThread();
    while (!stop) std::this_thread::yield();
  });
  while (id == 0) std::this_thread::yield();
  EXPECT_TRUE(ThreadMayBeAlive(id));
  EXPECT_TRUE(ThreadMayBeAlive(id)) << "asking must not change the answer";
  stop = true;
  thread.join();
}

// The id is cleared for pthread_join before the kernel forgets the thread, so
// that a test by kill() would fail here now and then.
TEST(ThreadMayBeAlive, NotAtOnceAfterJoin) {
  for (int i = 0; i < 2000; ++i) {
    ThreadId id = 0;
    std::thread([&id] { id = CurrentThread(); }).join();
    ASSERT_FALSE(ThreadMayBeAlive(id)) << "round " << i;
  }
}

TEST(ThreadMayBeAlive, NotAtOnceAfterJoinOfMany) {
  for (int round = 0; round < 50; ++round) {
    std::vector<ThreadId> ids(8);
    std::vector<std::thread> threads;
    for (ThreadId& id : ids) {
      threads.emplace_back([&id] { id = CurrentThread(); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const ThreadId id : ids) ASSERT_FALSE(ThreadMayBeAlive(id));
  }
}

// Where an id has gone to another process meanwhile, its thread here is gone.
TEST(ThreadMayBeAlive, NotAThreadOfAnotherProcess) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  ASSERT_GT(child, 0);
  EXPECT_EQ(kill(child, 0), 0);
  EXPECT_FALSE(ThreadMayBeAlive(static_cast<ThreadId>(child)));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

// Above the largest that Linux ever gives out, 2^22.
TEST(ThreadMayBeAlive, NotOneThatCannotExist) {
  EXPECT_FALSE(ThreadMayBeAlive(1u << 29));
}

TEST(ThreadMayBeAlive, MayBeAskedByManyAtOnce) {
  std::atomic<ThreadId> id{0};
  std::atomic<bool> stop{false};
  std::thread target([&] {
    id = CurrentThread();
    while (!stop) std::this_thread::yield();
  });
  while (id == 0) std::this_thread::yield();
  std::vector<std::thread> askers;
  std::atomic<int> dead{0};
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back([&] {
      for (int j = 0; j < 2000; ++j) {
        if (!ThreadMayBeAlive(id)) ++dead;
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  stop = true;
  target.join();
  EXPECT_EQ(dead, 0);
}

TEST(Yield, Returns) {
  for (int i = 0; i < 100; ++i) Yield();
}

uint32_t Load(const uint32_t& word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}
void Store(uint32_t& word, uint32_t value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

TEST(Wait, TheTimeIsOver) {
  const uint32_t word = 5;
  const uint64_t begin = Milliseconds();
  EXPECT_FALSE(Wait(&word, 5, 0));
  EXPECT_FALSE(Wait(&word, 5, 50));
  // The coarse clock can be up to 10 ms behind.
  EXPECT_GE(Milliseconds() - begin, 40u);
  EXPECT_FALSE(Wait(&word, 5, 1001)) << "seconds and a part of one";
  EXPECT_GE(Milliseconds() - begin, 1040u);
}

TEST(Wait, NotForAnotherValue) {
  const uint32_t word = 5;
  EXPECT_TRUE(Wait(&word, 4, kForever));
  EXPECT_TRUE(Wait(&word, 6, 3600000));
}

TEST(Wait, WakeEndsItForAll) {
  uint32_t word = 0;
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 4; ++i) {
    sleepers.emplace_back([&word, i] {
      while (Load(word) == 0) Wait(&word, 0, i == 0 ? 3600000 : kForever);
    });
  }
  usleep(10000);  // so that most of them sleep; those who do not have to see it
  Store(word, 1);
  Wake(&word);
  for (std::thread& sleeper : sleepers) sleeper.join();
}

TEST(Wait, WakeOfNobody) {
  const uint32_t word = 0;
  Wake(&word);
}

}  // namespace
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
