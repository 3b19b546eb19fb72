// What the scope objects of fake.h set and the primitives of fake_platform.cc
// obey.
#ifndef ALCOVE_PLATFORM_FAKE_CONTROL_H_
#define ALCOVE_PLATFORM_FAKE_CONTROL_H_

#include <atomic>

#include "platform/fake/fake.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace fake {

struct Control {
  std::atomic<uint64_t> calls{0};
  std::atomic<uint64_t> bytes{0};
  // The rule, and the calls it has judged.
  std::atomic<uint64_t> first{1};
  std::atomic<uint64_t> last{0};
  std::atomic<uint64_t> step{1};
  std::atomic<uint64_t> seen{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<int> forbidden{0};
  std::atomic<ScopedHook::Hook> hook{nullptr};
  std::atomic<void*> hook_context{nullptr};
};

Control& ControlOf(Primitive primitive);

// Counts a call, stops if it is forbidden, runs the hook, and says whether it
// is to fail.
bool Enter(Primitive primitive, size_t bytes);

void CountMapped(int64_t bytes);

// The time that a ScopedClock set; false if there is none.
bool FakeTime(uint64_t* now);

// What a ScopedProcess says; 0 if there is none.
ProcessId FakeProcess();

// What a ScopedIdentity says; 0 if there is none.
ThreadId FakeIdentity();

// The other half of Farewell.
void HearFarewells();

// What a ScopedLife declares of a thread; false if there is none for it.
bool DeclaredLife(ThreadId thread, bool* alive);

}  // namespace fake
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_PLATFORM_FAKE_CONTROL_H_
