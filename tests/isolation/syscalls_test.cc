// The system calls an instance makes are these and no others: a child process
// that the kernel stops at any other runs a workload from several threads.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/isolation/workload.h"

namespace isolation {
namespace {

const std::vector<unsigned> kAllowed = {
    SYS_mmap,       SYS_munmap, SYS_mprotect,    SYS_madvise,       SYS_mremap,
    SYS_futex,      SYS_gettid, SYS_sched_yield, SYS_clock_gettime, SYS_write,
    SYS_exit_group, SYS_getpid, SYS_mincore,     SYS_tgkill,
};

// Says which call it was; only functions that may be called in a handler.
void Report(int, siginfo_t* info, void*) {
  char text[64];
  const int size =
      std::snprintf(text, sizeof(text), "system call %d\n", info->si_syscall);
  if (write(STDERR_FILENO, text, static_cast<size_t>(size)) < 0) _exit(3);
  _exit(2);
}

// From here on the calling thread, and those it makes, may only do what is
// allowed.
void Restrict() {
  struct sigaction action = {};
  action.sa_sigaction = Report;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);

  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const unsigned number : kAllowed) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
  const sock_fprog filter = {static_cast<unsigned short>(program.size()),
                             program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    _exit(4);
  }
}

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
      Restrict();
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
  Restrict();
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
        Restrict();
        syscall(SYS_brk, 0);
        _exit(0);
      },
      testing::ExitedWithCode(2), "system call 12\n");
}

}  // namespace
}  // namespace isolation
