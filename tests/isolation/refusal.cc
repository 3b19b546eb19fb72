#include "tests/isolation/refusal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <iterator>

#include "tests/isolation/let_through.h"

namespace isolation {

namespace {

std::atomic<size_t> g_calls = 0;
std::atomic<size_t> g_first = 1;
std::atomic<size_t> g_last = 0;

void Judge(int, siginfo_t* info, void* context) {
  greg_t* const registers =
      static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const size_t call = ++g_calls;
  if (call >= g_first && call <= g_last) {
    registers[REG_RAX] = -ENOMEM;
    return;
  }
  const int64_t arguments[] = {registers[REG_RDI], registers[REG_RSI],
                               registers[REG_RDX], registers[REG_R10],
                               registers[REG_R8],  registers[REG_R9]};
  registers[REG_RAX] = isolation_let_through(info->si_syscall, arguments);
}

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}

sock_filter IfNot(size_t value, unsigned char skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(value), 0,
                  skip);
}

// `verdict` for calls of this number, but for those that are let through.
bool Filter(long number, unsigned verdict) {
  constexpr size_t kPlace = offsetof(seccomp_data, instruction_pointer);
  const auto place = reinterpret_cast<uint64_t>(isolation_let_through_end);
  sock_filter program[] = {
      Load(offsetof(seccomp_data, arch)),
      IfNot(AUDIT_ARCH_X86_64, 6),
      Load(offsetof(seccomp_data, nr)),
      IfNot(static_cast<size_t>(number), 4),
      Load(kPlace),
      IfNot(place & 0xffffffff, 3),
      Load(kPlace + 4),
      IfNot(place >> 32, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, verdict),
  };
  const sock_fprog filter = {static_cast<unsigned short>(std::size(program)),
                             program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

bool CanRefuse() {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    // It has to be obeyed, too: some sandboxes accept any filter.
    const bool refused = RefuseToThisThread(SYS_mincore) &&
                         syscall(SYS_mincore, 0, 0, nullptr) == -1 &&
                         errno == ENOMEM;
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

bool RefuseToThisThread(long number) {
  return Filter(number, SECCOMP_RET_ERRNO | ENOMEM);
}

bool JudgeThisThread(long number) {
  struct sigaction action = {};
  action.sa_sigaction = Judge;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  return sigaction(SIGSYS, &action, nullptr) == 0 &&
         Filter(number, SECCOMP_RET_TRAP);
}

size_t JudgeCalls(size_t first, size_t last) {
  g_last = 0;
  g_first = first;
  const size_t calls = g_calls.exchange(0);
  g_last = last;
  return calls;
}

}  // namespace isolation
