// Threads that come and go leave nothing, whatever they do at their ends; and
// what vfork and posix_spawn do to an instance.
//
//   THREADS_COUNT=100000   how many short threads; it says what they cost
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"

extern char** environ;

namespace contract {
namespace {

using ThreadsTest = ContractTest;
using Clock = std::chrono::steady_clock;

size_t ResidentKiB() {
  char text[64] = {};
  const int file = open("/proc/self/statm", O_RDONLY);
  const ssize_t n = read(file, text, sizeof(text) - 1);
  close(file);
  unsigned long size = 0;
  unsigned long resident = 0;
  if (n <= 0 || std::sscanf(text, "%lu %lu", &size, &resident) != 2) return 0;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE)) / kKiB;
}

// Both kinds of destructors, each allocating and freeing, some after the cache
// was handed back.
struct AtEnd {
  ~AtEnd() {
    subject::free(block);
    for (size_t size = 16; size < 200 * kKiB; size *= 3)
      subject::free(subject::malloc(size));
  }
  void* block = nullptr;
};
thread_local AtEnd g_at_end;

void AllocateAgain(void* block) {
  subject::free(block);
  subject::free(subject::malloc(1000));
}

TEST_F(ThreadsTest, DestructorsOfThreadsAllocate) {
  // Keys that were made before the instance's own, and after it.
  pthread_key_t keys[2];
  ASSERT_EQ(pthread_key_create(&keys[0], AllocateAgain), 0);
  subject::free(subject::malloc(1));
  ASSERT_EQ(pthread_key_create(&keys[1], AllocateAgain), 0);
  size_t metadata = 0;
  for (int i = 0; i < 300; ++i) {
    std::thread([&] {
      g_at_end.block = subject::malloc(300);
      for (const pthread_key_t key : keys)
        pthread_setspecific(key, subject::malloc(500));
    }).join();
    if (i == 10) metadata = GetStats().bytes_metadata;
  }
  // One can be there still while the next begins.
  EXPECT_LE(GetStats().bytes_metadata, metadata + kMiB)
      << "heaps were left behind";
  EXPECT_EQ(GetStats().blocks_live, 0u);
  for (const pthread_key_t key : keys) pthread_key_delete(key);
}

TEST_F(ThreadsTest, ShortThreadsLeaveNothing) {
  const char* const text = std::getenv("THREADS_COUNT");
  const long count = text == nullptr ? 3000 : std::strtol(text, nullptr, 0);
  std::atomic<long> first_ns{0};
  long life_ns = 0;
  size_t resident = 0;
  size_t metadata = 0;
  size_t spans = 0;
  for (long i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    std::thread([&] {
      const auto before = Clock::now();
      void* block = subject::malloc(64);
      first_ns += (Clock::now() - before).count();
      subject::free(block);
      void* blocks[40];
      for (size_t b = 0; b < 40; ++b) blocks[b] = subject::malloc(16 + b * 50);
      for (void* const each : blocks) subject::free(each);
    }).join();
    life_ns += (Clock::now() - begin).count();
    if (i == count / 10) {
      resident = ResidentKiB();
      metadata = GetStats().bytes_metadata;
      spans = GetStats().bytes_spans;
    }
  }
  const size_t after = ResidentKiB();
  std::printf(
      "%ld threads: %ld ns for the first malloc, %ld ns from start to join; "
      "%zu KiB resident after a tenth, %zu after all\n",
      count, first_ns / count, life_ns / count, resident, after);
  EXPECT_LE(GetStats().bytes_metadata, metadata + kMiB);
  EXPECT_LE(GetStats().bytes_spans, spans);
  EXPECT_LE(after, resident + kKiB);
}

// The child runs in the parent's memory, on its thread, which waits.
TEST_F(ThreadsTest, AChildOfVforkIsTheSameThread) {
  void* const before = subject::malloc(100);
  const pid_t child = vfork();
  if (child == 0) {
    subject::free(subject::malloc(100));
    subject::free(before);
    _exit(7);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(GetStats().blocks_live, 0u);
  subject::free(subject::malloc(100));
}

TEST_F(ThreadsTest, ProgramsAreStartedWhileOthersAllocate) {
  std::atomic<bool> end{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!end) subject::free(subject::malloc(3000));
    });
  }
  for (int i = 0; i < 20; ++i) {
    char name[] = "true";
    char* arguments[] = {name, nullptr};
    pid_t child;
    ASSERT_EQ(posix_spawnp(&child, name, nullptr, nullptr, arguments, environ),
              0);
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  end = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace contract
