#include "tests/isolation/syscall_counter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <algorithm>
#include <iterator>

#include "tests/isolation/let_through.h"

namespace isolation {

namespace {

constexpr size_t kNumbers = 512;
thread_local size_t t_counts[kNumbers];
thread_local size_t t_before[kNumbers];

void CarryOut(int, siginfo_t* info, void* context) {
  greg_t* const registers =
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto number = static_cast<size_t>(info->si_syscall);
  ++t_counts[number < kNumbers ? number : 0];
  const int64_t arguments[] = {registers[REG_RDI], registers[REG_RSI],
                               registers[REG_RDX], registers[REG_R10],
                               registers[REG_R8],  registers[REG_R9]};
  registers[REG_RAX] = isolation_let_through(info->si_syscall, arguments);
}

}  // namespace

bool CountSyscallsOfThisThread() {
  struct sigaction action = {};
  action.sa_sigaction = CarryOut;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (sigaction(SIGSYS, &action, nullptr) != 0) return false;
  const auto place = reinterpret_cast<uint64_t>(isolation_let_through_end);
  const auto load = [](size_t offset) {
    return sock_filter(
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  };
  constexpr size_t kPlace = offsetof(seccomp_data, instruction_pointer);
  sock_filter program[] = {
      load(kPlace),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(place), 0, 3),
      load(kPlace + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(place >> 32), 0,
               1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      // The end of the handler and that of the thread.
      load(offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {static_cast<unsigned short>(std::size(program)),
                             program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

size_t SyscallsSoFar() {
  size_t sum = 0;
  for (const size_t count : t_counts) sum += count;
  return sum;
}

size_t SyscallsDuring(const std::function<void()>& work) {
  std::copy(std::begin(t_counts), std::end(t_counts), t_before);
  const size_t before = SyscallsSoFar();
  work();
  return SyscallsSoFar() - before;
}

std::string LastSyscalls() {
  std::string text;
  for (size_t i = 0; i < kNumbers; ++i) {
    const size_t count = t_counts[i] - t_before[i];
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + ("number " + std::to_string(i)) +
            ": " + std::to_string(count) + " times";
  }
  return text;
}

}  // namespace isolation
