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
// alive; after pthread_join the answer is certain.
bool ThreadMayBeAlive(ThreadId thread) {
  uint32_t word = thread;
  const long result =
      Call(kSysFutex, Word(&word), kFutexTryLockPi | kFutexPrivate);
  return result != -kErrSrch;
}

void Yield() { Call(kSysSchedYield); }

}  // namespace linux_x86_64
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
