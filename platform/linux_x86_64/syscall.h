// Raw system calls, and the numbers and flags that this platform uses. The
// values are the kernel's ABI (arch/x86/entry/syscalls/syscall_64.tbl,
// include/uapi/asm-generic/mman.h, include/uapi/linux/futex.h); they are
// repeated here because an instance may be built where no libc headers are.
// tests/platform compares each with the system's headers.
#ifndef ALCOVE_PLATFORM_LINUX_X86_64_SYSCALL_H_
#define ALCOVE_PLATFORM_LINUX_X86_64_SYSCALL_H_

#include <stddef.h>
#include <stdint.h>

#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace linux_x86_64 {

enum Syscall : long {
  kSysWrite = 1,
  kSysMmap = 9,
  kSysMprotect = 10,
  kSysMunmap = 11,
  kSysRtSigaction = 13,
  kSysRtSigprocmask = 14,
  kSysSchedYield = 24,
  kSysMremap = 25,
  kSysMincore = 27,
  kSysMadvise = 28,
  kSysGetpid = 39,
  kSysGettid = 186,
  kSysFutex = 202,
  kSysClockGettime = 228,
  kSysExitGroup = 231,
  kSysTgkill = 234,
  kSysKcmp = 312,
  kSysGetrandom = 318,  // Linux 3.17
};

enum KcmpFlag : long { kKcmpVm = 1 };

inline constexpr long kProtNone = 0;
inline constexpr long kProtReadWrite = 1 | 2;
inline constexpr long kMapPrivate = 0x02;
inline constexpr long kMapFixed = 0x10;
inline constexpr long kMapAnonymous = 0x20;
inline constexpr long kMapNoReserve = 0x4000;
inline constexpr long kMapFixedNoReplace = 0x100000;  // Linux 4.17
inline constexpr long kMremapMayMove = 1;
inline constexpr long kMremapFixed = 2;
inline constexpr long kMremapDontUnmap = 4;  // Linux 5.7
inline constexpr long kMadvNormal = 0;
inline constexpr long kMadvDontNeed = 4;
inline constexpr long kMadvHugePage = 14;
inline constexpr long kMadvWipeOnFork = 18;
inline constexpr long kFutexWait = 0;
inline constexpr long kFutexWake = 1;
inline constexpr long kFutexWakeOp = 5;
inline constexpr long kFutexTryLockPi = 8;
inline constexpr long kFutexPrivate = 128;
inline constexpr long kClockMonotonicCoarse = 6;
inline constexpr long kSigAbrt = 6;
inline constexpr long kGrndNonblock = 1;
inline constexpr long kSigUnblock = 1;
inline constexpr long kErrAgain = 11;
inline constexpr long kErrIntr = 4;
inline constexpr long kErrSrch = 3;
inline constexpr long kErrNoMem = 12;
inline constexpr long kErrFault = 14;
inline constexpr long kErrInvalid = 22;
inline constexpr long kErrTimedOut = 110;

// Makes the call; a result in [-4095, -1] is a negated error number.
inline long Call(Syscall number, long a = 0, long b = 0, long c = 0, long d = 0,
                 long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "0"(static_cast<long>(number)), "D"(a), "S"(b), "d"(c),
                 "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

inline bool Failed(long result) { return result < 0 && result >= -4095; }

inline long Word(const void* pointer) {
  return static_cast<long>(reinterpret_cast<uintptr_t>(pointer));
}
inline long Word(size_t size) { return static_cast<long>(size); }
inline void* Pointer(long word) {
  return reinterpret_cast<void*>(static_cast<uintptr_t>(word));
}

}  // namespace linux_x86_64
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_PLATFORM_LINUX_X86_64_SYSCALL_H_
