#include "platform/linux_x86_64/primitives.h"
#include "platform/linux_x86_64/syscall.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace linux_x86_64 {

ProcessId CurrentProcess() { return static_cast<ProcessId>(Call(kSysGetpid)); }

ThreadId CurrentThread() { return static_cast<ThreadId>(Call(kSysGettid)); }

// Emma's way. A futex word of the kernel's priority-inheriting kind names its
// holder by thread id, so trying to lock a word that names `thread` makes the
// kernel look that thread up: ESRCH says that there is none. A thread that is
// on its way out is waited for, which kill() with signal 0 would report as
// alive; after pthread_join the answer is certain. But the kernel finds threads
// of other processes, too, to which an id may have gone meanwhile: only tgkill()
// says that.
bool ThreadMayBeAlive(ThreadId thread) {
  uint32_t word = thread;
  const long result =
      Call(kSysFutex, Word(&word), kFutexTryLockPi | kFutexPrivate);
  if (result == -kErrSrch) return false;
  return Call(kSysTgkill, CurrentProcess(), thread, 0) != -kErrSrch;
}

bool SharesMemory(ProcessId process) {
  return Call(kSysKcmp, CurrentProcess(), process, kKcmpVm) == 0;
}

void Yield() { Call(kSysSchedYield); }

bool Wait(const uint32_t* word, uint32_t expected, uint64_t milliseconds) {
  const struct {
    int64_t seconds;
    int64_t nanoseconds;
  } time = {static_cast<int64_t>(milliseconds / 1000),
            static_cast<int64_t>(milliseconds % 1000 * 1000000)};
  const long result =
      Call(kSysFutex, Word(word), kFutexWait | kFutexPrivate, expected,
           Word(milliseconds == kForever ? nullptr : &time));
  return result != -kErrTimedOut;
}

void Wake(const uint32_t* word) {
  constexpr long kAll = 0x7fffffff;
  Call(kSysFutex, Word(word), kFutexWake | kFutexPrivate, kAll);
}

}  // namespace linux_x86_64
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
