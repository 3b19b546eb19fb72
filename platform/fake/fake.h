// A platform for tests. It implements platform.h by forwarding to the real
// primitives, and lets a test fail, count, forbid and observe each of them, and
// rule over time and over the life of threads. It is linked in place of
// platform.cc.
//
// What a test sets is undone at the end of a scope object. All of it may be
// read by any thread at any time; a test that changes it while other threads
// are in a call has to live with some of them seeing the change and some not.
// Nothing here allocates.
//
// Where the contract says that contents are undefined after an error, a failure
// made here spoils them, so that nobody can rely on them by accident.
#ifndef ALCOVE_PLATFORM_FAKE_FAKE_H_
#define ALCOVE_PLATFORM_FAKE_FAKE_H_

#include <stddef.h>
#include <stdint.h>

#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace fake {

// Those of platform.h that are not inline, in its order.
enum class Primitive : unsigned {
  kPageSize,
  kReserve,
  kCommit,
  kMap,
  kMapWipedByFork,
  kUnmap,
  kPurge,
  kZeroPages,
  kMovePages,
  kRefresh,
  kProtect,
  kAdviseHugePages,
  kIsWritable,
  kIsReadable,
  kEntropy,
  kCurrentProcess,
  kCurrentThread,
  kThreadMayBeAlive,
  kSharesMemory,
  kYield,
  kWait,
  kWake,
  kMilliseconds,
  kWriteError,
  kAbort,
};
inline constexpr unsigned kPrimitives = 25;

const char* NameOf(Primitive primitive);

// Those that can fail. AdviseHugePages fails by doing nothing, ThreadMayBeAlive
// by saying that it may, SharesMemory by saying that it does not.
bool CanFail(Primitive primitive);

// ---- Counting ----

// Since the start of the process; bytes are those that were asked for.
uint64_t Calls(Primitive primitive);
uint64_t Bytes(Primitive primitive);

// Bytes that Reserve, Map and MapWipedByFork gave out and Unmap has not taken back.
int64_t MappedBytes();

// Counts from its construction on.
class CallCounter {
 public:
  explicit CallCounter(Primitive primitive)
      : primitive_(primitive),
        calls_(Calls(primitive)),
        bytes_(Bytes(primitive)) {}
  uint64_t calls() const { return Calls(primitive_) - calls_; }
  uint64_t bytes() const { return Bytes(primitive_) - bytes_; }

 private:
  Primitive primitive_;
  uint64_t calls_;
  uint64_t bytes_;
};

// ---- Failing ----

// Which calls fail, counted from 1 at the construction of the scope.
struct Failures {
  uint64_t first;
  uint64_t last;
  uint64_t step;

  static constexpr Failures Never() { return {1, 0, 1}; }
  static constexpr Failures Always() { return {1, UINT64_MAX, 1}; }
  static constexpr Failures Nth(uint64_t n) { return {n, n, 1}; }
  static constexpr Failures From(uint64_t n) { return {n, UINT64_MAX, 1}; }
  static constexpr Failures Every(uint64_t n) { return {n, UINT64_MAX, n}; }
};

class ScopedFailures {
 public:
  ScopedFailures(Primitive primitive, Failures failures);
  ~ScopedFailures();
  ScopedFailures(const ScopedFailures&) = delete;
  ScopedFailures& operator=(const ScopedFailures&) = delete;

  // How many calls failed since the construction.
  uint64_t failed() const;

 private:
  Primitive primitive_;
  Failures before_;
  uint64_t seen_before_;
  uint64_t failed_before_;
};

// ---- Forbidding ----

// A call stops the process with "alcove fake platform: call of <name> is
// forbidden here".
class ScopedForbid {
 public:
  explicit ScopedForbid(Primitive primitive);
  ~ScopedForbid();
  ScopedForbid(const ScopedForbid&) = delete;
  ScopedForbid& operator=(const ScopedForbid&) = delete;

 private:
  Primitive primitive_;
};

// ---- Observing ----

// Calls `hook(context)` on the calling thread before the primitive does its
// work, so that a test can act in the middle of an operation. The hook may call
// the core; the primitive's own calls from within it are not observed again.
class ScopedHook {
 public:
  using Hook = void (*)(void* context);
  ScopedHook(Primitive primitive, Hook hook, void* context);
  ~ScopedHook();
  ScopedHook(const ScopedHook&) = delete;
  ScopedHook& operator=(const ScopedHook&) = delete;

 private:
  Primitive primitive_;
};

// ---- Time ----

// Milliseconds() stands still at `now` and moves by Advance() only. Wait() sleeps
// by the system's clock, and Ticks() is
// a CPU instruction and stays real: WaitForTicks makes so many of them pass.
class ScopedClock {
 public:
  explicit ScopedClock(uint64_t now);
  ~ScopedClock();
  ScopedClock(const ScopedClock&) = delete;
  ScopedClock& operator=(const ScopedClock&) = delete;

  void Advance(uint64_t milliseconds);
};

void WaitForTicks(uint64_t ticks);

// ---- Threads ----

// Declares a thread dead or alive, whatever the system says; at most
// kDeclaredMax at a time.
class ScopedLife {
 public:
  static constexpr unsigned kDeclaredMax = 64;
  ScopedLife(ThreadId thread, bool alive);
  ~ScopedLife();
  ScopedLife(const ScopedLife&) = delete;
  ScopedLife& operator=(const ScopedLife&) = delete;

 private:
  unsigned slot_;
};

// What a thread of a test may call last of all. That the kernel says "dead"
// only after everything the thread did is more than a thread sanitizer knows;
// it learns it from a pair of operations here and in ThreadMayBeAlive.
void Farewell();

// All threads say that their process has this id.
class ScopedProcess {
 public:
  explicit ScopedProcess(ProcessId process);
  ~ScopedProcess();
  ScopedProcess(const ScopedProcess&) = delete;
  ScopedProcess& operator=(const ScopedProcess&) = delete;

 private:
  ProcessId before_;
};

// The calling OS thread calls itself `thread`, for tests of ids that are used
// again.
class ScopedIdentity {
 public:
  explicit ScopedIdentity(ThreadId thread);
  ~ScopedIdentity();
  ScopedIdentity(const ScopedIdentity&) = delete;
  ScopedIdentity& operator=(const ScopedIdentity&) = delete;

 private:
  ThreadId before_;
};

}  // namespace fake
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_PLATFORM_FAKE_FAKE_H_
