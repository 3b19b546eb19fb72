#include "platform/fake/control.h"

#include <initializer_list>

#include "platform/linux_x86_64/primitives.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace fake {

namespace {

constexpr const char* kNames[] = {
    "PageSize",       "Reserve",
    "Commit",         "Map",
    "MapWipedByFork", "Unmap",
    "Purge",          "ZeroPages",
    "MovePages",      "Refresh",
    "Protect",        "AdviseHugePages",
    "IsWritable",     "IsReadable",
    "Entropy",        "CurrentProcess",
    "CurrentThread",  "ThreadMayBeAlive",
    "SharesMemory",   "Yield",
    "Wait",           "Wake",
    "Milliseconds",   "WriteError",
    "Abort",
};
static_assert(sizeof(kNames) / sizeof(kNames[0]) == kPrimitives);

constinit Control g_controls[kPrimitives];
constinit std::atomic<int64_t> g_mapped{0};

constexpr uint64_t kNoTime = UINT64_MAX;
constinit std::atomic<uint64_t> g_time{kNoTime};

// A thread's id, and above it whether it lives; 0 for a free slot.
constexpr uint64_t kAlive = uint64_t{1} << 32;
constinit std::atomic<uint64_t> g_lives[ScopedLife::kDeclaredMax];

constinit std::atomic<uint64_t> g_farewells{0};

constinit std::atomic<ProcessId> g_process{0};

constinit thread_local bool tls_in_hook = false;
constinit thread_local ThreadId tls_identity = 0;

[[noreturn]] void Stop(const char* before, const char* name,
                       const char* after) {
  char line[160];
  size_t size = 0;
  for (const char* text : {before, name, after}) {
    while (*text != '\0' && size < sizeof(line)) line[size++] = *text++;
  }
  linux_x86_64::WriteError(line, size);
  linux_x86_64::Abort();
}

}  // namespace

Control& ControlOf(Primitive primitive) {
  return g_controls[static_cast<unsigned>(primitive)];
}

const char* NameOf(Primitive primitive) {
  return kNames[static_cast<unsigned>(primitive)];
}

bool CanFail(Primitive primitive) {
  switch (primitive) {
    case Primitive::kReserve:
    case Primitive::kCommit:
    case Primitive::kMap:
    case Primitive::kMapWipedByFork:
    case Primitive::kUnmap:
    case Primitive::kPurge:
    case Primitive::kMovePages:
    case Primitive::kRefresh:
    case Primitive::kProtect:
    case Primitive::kAdviseHugePages:
    case Primitive::kIsReadable:
    case Primitive::kEntropy:
    case Primitive::kThreadMayBeAlive:
    case Primitive::kSharesMemory:
      return true;
    default:
      return false;
  }
}

uint64_t Calls(Primitive primitive) {
  return ControlOf(primitive).calls.load();
}
uint64_t Bytes(Primitive primitive) {
  return ControlOf(primitive).bytes.load();
}
int64_t MappedBytes() { return g_mapped.load(); }
void CountMapped(int64_t bytes) { g_mapped.fetch_add(bytes); }

bool Enter(Primitive primitive, size_t bytes) {
  Control& control = ControlOf(primitive);
  control.calls.fetch_add(1);
  control.bytes.fetch_add(bytes);
  if (control.forbidden.load() != 0) {
    Stop("alcove fake platform: call of ", NameOf(primitive),
         " is forbidden here\n");
  }
  const ScopedHook::Hook hook = control.hook.load();
  if (hook != nullptr && !tls_in_hook) {
    tls_in_hook = true;
    hook(control.hook_context.load());
    tls_in_hook = false;
  }
  const uint64_t first = control.first.load();
  const uint64_t last = control.last.load();
  if (last < first) return false;
  const uint64_t call = control.seen.fetch_add(1) + 1;
  if (call < first || call > last || (call - first) % control.step.load() != 0)
    return false;
  control.failed.fetch_add(1);
  return true;
}

ScopedFailures::ScopedFailures(Primitive primitive, Failures failures)
    : primitive_(primitive) {
  if (!CanFail(primitive)) {
    Stop("alcove fake platform: ", NameOf(primitive), " cannot fail\n");
  }
  Control& control = ControlOf(primitive);
  before_ = {control.first.load(), control.last.load(), control.step.load()};
  seen_before_ = control.seen.exchange(0);
  failed_before_ = control.failed.load();
  control.step.store(failures.step);
  control.first.store(failures.first);
  control.last.store(failures.last);
}

ScopedFailures::~ScopedFailures() {
  Control& control = ControlOf(primitive_);
  control.last.store(before_.last);
  control.first.store(before_.first);
  control.step.store(before_.step);
  control.seen.store(seen_before_);
}

uint64_t ScopedFailures::failed() const {
  return ControlOf(primitive_).failed.load() - failed_before_;
}

ScopedForbid::ScopedForbid(Primitive primitive) : primitive_(primitive) {
  ControlOf(primitive).forbidden.fetch_add(1);
}
ScopedForbid::~ScopedForbid() { ControlOf(primitive_).forbidden.fetch_sub(1); }

ScopedHook::ScopedHook(Primitive primitive, Hook hook, void* context)
    : primitive_(primitive) {
  ControlOf(primitive).hook_context.store(context);
  ControlOf(primitive).hook.store(hook);
}
ScopedHook::~ScopedHook() { ControlOf(primitive_).hook.store(nullptr); }

ScopedClock::ScopedClock(uint64_t now) { g_time.store(now); }
ScopedClock::~ScopedClock() { g_time.store(kNoTime); }
void ScopedClock::Advance(uint64_t milliseconds) {
  g_time.fetch_add(milliseconds);
}

bool FakeTime(uint64_t* now) {
  *now = g_time.load();
  return *now != kNoTime;
}

void WaitForTicks(uint64_t ticks) {
  const uint64_t begin = Ticks();
  while (Ticks() - begin < ticks) SpinHint();
}

ScopedLife::ScopedLife(ThreadId thread, bool alive) {
  for (slot_ = 0; slot_ < kDeclaredMax; ++slot_) {
    uint64_t free = 0;
    if (g_lives[slot_].compare_exchange_strong(free,
                                               thread | (alive ? kAlive : 0)))
      return;
  }
  Stop("alcove fake platform: ", "ScopedLife", " has no slot left\n");
}
ScopedLife::~ScopedLife() { g_lives[slot_].store(0); }

void Farewell() { g_farewells.fetch_add(1, std::memory_order_acq_rel); }
void HearFarewells() { g_farewells.load(std::memory_order_acquire); }

ScopedProcess::ScopedProcess(ProcessId process)
    : before_(g_process.exchange(process)) {}
ScopedProcess::~ScopedProcess() { g_process = before_; }

ProcessId FakeProcess() { return g_process.load(); }

ScopedIdentity::ScopedIdentity(ThreadId thread) : before_(tls_identity) {
  tls_identity = thread;
}
ScopedIdentity::~ScopedIdentity() { tls_identity = before_; }

ThreadId FakeIdentity() { return tls_identity; }

bool DeclaredLife(ThreadId thread, bool* alive) {
  for (const std::atomic<uint64_t>& life : g_lives) {
    const uint64_t declared = life.load();
    if (static_cast<ThreadId>(declared) != thread || declared == 0) continue;
    *alive = (declared & kAlive) != 0;
    return true;
  }
  return false;
}

}  // namespace fake
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
