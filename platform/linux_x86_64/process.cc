#include "platform/linux_x86_64/primitives.h"
#include "platform/linux_x86_64/syscall.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace linux_x86_64 {

uint64_t Milliseconds() {
  struct {
    int64_t seconds;
    int64_t nanoseconds;
  } now = {0, 0};
  Call(kSysClockGettime, kClockMonotonicCoarse, Word(&now));
  return static_cast<uint64_t>(now.seconds) * 1000 +
         static_cast<uint64_t>(now.nanoseconds) / 1000000;
}

void WriteError(const char* text, size_t size) {
  while (size > 0) {
    const long written = Call(kSysWrite, 2, Word(text), Word(size));
    if (written == -kErrIntr) continue;
    if (written <= 0) return;  // nobody listens
    text += written;
    size -= static_cast<size_t>(written);
  }
}

void Abort() {
  // As abort() does: unblock the signal, raise it for the handler's sake, and
  // if the process survives that, take its default action.
  const uint64_t set = uint64_t{1} << (kSigAbrt - 1);
  Call(kSysRtSigprocmask, kSigUnblock, Word(&set), 0, sizeof(set));
  const long process = Call(kSysGetpid);
  const long thread = Call(kSysGettid);
  Call(kSysTgkill, process, thread, kSigAbrt);
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    uint64_t mask;
  } by_default = {nullptr, 0, nullptr, 0};
  Call(kSysRtSigaction, kSigAbrt, Word(&by_default), 0, sizeof(set));
  Call(kSysTgkill, process, thread, kSigAbrt);
  for (;;) Call(kSysExitGroup, 134);
}

}  // namespace linux_x86_64
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
