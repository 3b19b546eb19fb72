// syscall.h repeats the kernel's numbers; here they meet the system's headers.
#include <errno.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/mman.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

#include "gtest/gtest.h"
#include "platform/linux_x86_64/syscall.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace linux_x86_64 {
namespace {

TEST(Constants, SystemCallNumbers) {
  EXPECT_EQ(kSysWrite, SYS_write);
  EXPECT_EQ(kSysMmap, SYS_mmap);
  EXPECT_EQ(kSysMprotect, SYS_mprotect);
  EXPECT_EQ(kSysMunmap, SYS_munmap);
  EXPECT_EQ(kSysRtSigaction, SYS_rt_sigaction);
  EXPECT_EQ(kSysRtSigprocmask, SYS_rt_sigprocmask);
  EXPECT_EQ(kSysSchedYield, SYS_sched_yield);
  EXPECT_EQ(kSysMremap, SYS_mremap);
  EXPECT_EQ(kSysMincore, SYS_mincore);
  EXPECT_EQ(kSysMadvise, SYS_madvise);
  EXPECT_EQ(kSysGetpid, SYS_getpid);
  EXPECT_EQ(kSysGettid, SYS_gettid);
  EXPECT_EQ(kSysFutex, SYS_futex);
  EXPECT_EQ(kSysClockGettime, SYS_clock_gettime);
  EXPECT_EQ(kSysExitGroup, SYS_exit_group);
  EXPECT_EQ(kSysTgkill, SYS_tgkill);
  EXPECT_EQ(kSysKcmp, SYS_kcmp);
  EXPECT_EQ(kSysGetrandom, SYS_getrandom);
}

TEST(Constants, Memory) {
  EXPECT_EQ(kProtNone, PROT_NONE);
  EXPECT_EQ(kProtReadWrite, PROT_READ | PROT_WRITE);
  EXPECT_EQ(kMapPrivate, MAP_PRIVATE);
  EXPECT_EQ(kMapFixed, MAP_FIXED);
  EXPECT_EQ(kMapAnonymous, MAP_ANONYMOUS);
  EXPECT_EQ(kMapNoReserve, MAP_NORESERVE);
  EXPECT_EQ(kMapFixedNoReplace, MAP_FIXED_NOREPLACE);
  EXPECT_EQ(kMremapMayMove, MREMAP_MAYMOVE);
  EXPECT_EQ(kMremapFixed, MREMAP_FIXED);
  EXPECT_EQ(kMremapDontUnmap, MREMAP_DONTUNMAP);
  EXPECT_EQ(kMadvDontNeed, MADV_DONTNEED);
  EXPECT_EQ(kMadvHugePage, MADV_HUGEPAGE);
  EXPECT_EQ(kMadvWipeOnFork, MADV_WIPEONFORK);
}

TEST(Constants, Rest) {
  EXPECT_EQ(kFutexWait, FUTEX_WAIT);
  EXPECT_EQ(kFutexWake, FUTEX_WAKE);
  EXPECT_EQ(kFutexWakeOp, FUTEX_WAKE_OP);
  EXPECT_EQ(kFutexTryLockPi, FUTEX_TRYLOCK_PI);
  EXPECT_EQ(kFutexPrivate, FUTEX_PRIVATE_FLAG);
  EXPECT_EQ(kClockMonotonicCoarse, CLOCK_MONOTONIC_COARSE);
  EXPECT_EQ(kKcmpVm, KCMP_VM);
  EXPECT_EQ(kSigAbrt, SIGABRT);
  EXPECT_EQ(kSigUnblock, SIG_UNBLOCK);
  EXPECT_EQ(kErrAgain, EAGAIN);
  EXPECT_EQ(kErrIntr, EINTR);
  EXPECT_EQ(kErrSrch, ESRCH);
  EXPECT_EQ(kErrNoMem, ENOMEM);
  EXPECT_EQ(kErrInvalid, EINVAL);
  EXPECT_EQ(kGrndNonblock, GRND_NONBLOCK);
  EXPECT_EQ(kErrTimedOut, ETIMEDOUT);
  EXPECT_EQ(kMadvNormal, MADV_NORMAL);
}

TEST(Constants, FailedIsTheRangeOfErrors) {
  EXPECT_TRUE(Failed(-1));
  EXPECT_TRUE(Failed(-4095));
  EXPECT_FALSE(Failed(-4096));  // an address
  EXPECT_FALSE(Failed(0));
  EXPECT_FALSE(Failed(1));
}

TEST(Constants, CallPassesSixArgumentsAndLeavesErrno) {
  errno = 77;
  const long result = Call(kSysMmap, 0, 4096, kProtReadWrite,
                           kMapPrivate | kMapAnonymous, -1, 0);
  ASSERT_FALSE(Failed(result));
  EXPECT_EQ(Call(kSysMunmap, result, 4096), 0);
  // The sixth argument, an offset that is no multiple of the page.
  EXPECT_EQ(Call(kSysMmap, 0, 4096, kProtReadWrite, kMapPrivate | kMapAnonymous,
                 -1, 1),
            -EINVAL);
  EXPECT_EQ(errno, 77);
}

}  // namespace
}  // namespace linux_x86_64
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
