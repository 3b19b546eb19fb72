// The system calls an instance makes are these and no others: a child process
// that the kernel stops at any other runs a workload from several threads.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/isolation/restrict.h"
#include "tests/isolation/workload.h"

namespace isolation {
namespace {

const std::vector<unsigned> kAllowed = {
    SYS_mmap,       SYS_munmap, SYS_mprotect,    SYS_madvise,       SYS_mremap,
    SYS_futex,      SYS_gettid, SYS_sched_yield, SYS_clock_gettime, SYS_write,
    SYS_exit_group, SYS_getpid, SYS_mincore,     SYS_tgkill,
};

bool Work() {
  return RunWorkload({subject::malloc, subject::calloc, subject::realloc,
                      subject::aligned_alloc, subject::free,
                      subject::malloc_usable_size, subject::owns,
                      subject::purge});
}

// Threads are made and restricted before the work begins: making them needs
// other calls.
[[noreturn]] void WorkInThreads() {
  constexpr int kThreads = 3;
  pthread_barrier_t begin;
  pthread_barrier_t end;
  pthread_barrier_t never;
  pthread_barrier_init(&begin, nullptr, kThreads + 1);
  pthread_barrier_init(&end, nullptr, kThreads + 1);
  pthread_barrier_init(&never, nullptr, kThreads + 1);
  std::atomic<int> good = 0;
  std::vector<void*> blocks(3000);
  // The same of the instance's own.
  if (contract::IsOn("background_purge")) subject::free(subject::malloc(1));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Restrict(kAllowed);
      pthread_barrier_wait(&begin);
      good += Work();
      // Blocks of the main thread.
      for (size_t i = t; i < blocks.size(); i += kThreads)
        subject::free(blocks[i]);
      subject::thread_detach();
      pthread_barrier_wait(&end);
      pthread_barrier_wait(&never);
    });
  }
  Restrict(kAllowed);
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = subject::malloc(i);
  pthread_barrier_wait(&begin);
  good += Work();
  pthread_barrier_wait(&end);
  subject::Stats stats = {};
  stats.struct_size = sizeof(stats);
  subject::stats(&stats);
  const bool all = good == kThreads + 1 && stats.blocks_live == 0 &&
                   subject::shutdown() == 0;
  _exit(all ? 0 : 1);
}

using SyscallsDeathTest = testing::Test;

TEST(SyscallsDeathTest, OnlyThoseOfTheManifest) {
  EXPECT_EXIT(WorkInThreads(), testing::ExitedWithCode(0), "");
}

// The guard itself.
TEST(SyscallsDeathTest, AnyOtherIsNoticed) {
  EXPECT_EXIT(
      {
        Restrict(kAllowed);
        syscall(SYS_brk, 0);
        _exit(0);
      },
      testing::ExitedWithCode(2), "system call 12\n");
}

}  // namespace
}  // namespace isolation
