// The life of the instance, and of a thread in it.
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/oom.h"
#include "core/api/state.h"
#include "core/api/thread_exit.h"
#include "core/api/trace.h"
#include "core/base/log.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// Gives back whatever the instance has. No thread is in it, nor comes back to a
// heap that it had.
ALCOVE_COLD void ReleaseAll() {
  background::End();
  if (HasHeaps()) {
    thread_exit::Disarm();
    ForgetHeaps([](Heap*) {});
  }
  thread_exit::Release();
  g_arenas.Release();
  g_instance.registry.Release();  // one heap is in the region's memory
  g_instance.parts.Release();
  g_instance.traces.Release();
  g_instance.region.Release();
  g_instance.program_break.Release();
  g_instance.live.Reset();
  g_instance.homeless.Reset();
  g_instance.span_units.Store(0, Order::kRelaxed);
  g_instance.secret.Forget();
  g_oom.Reset();
  if (const Log<LogLevel::info> log; log)
    log.Write(TextLine().Text("shut down"));
  g_log_sink.Store(nullptr, Order::kRelaxed);
}

}  // namespace

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT int ALCOVE_PUBLIC(owns)(const void* address) noexcept {
  const core::Range* const range = core::g_instance.region.RangeOf(address);
  if (range == nullptr) return core::g_instance.program_break.Contains(address);
  const core::SizeClass c = core::ClassOfEntry(core::EntryOf(*range, address));
  return c != 0 && c != core::kShelvedClass && c != core::kGoneClass;
}

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(purge)(void) noexcept {
  const core::Call call;
  core::MeetFork();
  core::Heap* const heap = core::ThreadHeap();
  if (heap != &core::g_no_heap) {
    core::g_arenas.Trim(heap);
    heap->DrainSpans();
  }
  core::g_arenas.TrimDead();
  core::g_instance.registry.CleanUpDead();
  return core::g_instance.region.Purge();
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(thread_detach)(void) noexcept {
  const core::Call call;
  if (!core::HasHeaps() || core::IsInterrupting()) return;
  core::MeetFork();
  // The call that asked, or the pin, goes on in that heap.
  if (core::IsInOomHandler() || core::PinsOfThread() != 0) return;
  core::thread_exit::Disarm();
  core::ForgetHeaps(core::GiveBack);
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(shutdown)(void) noexcept {
  const core::Call call;
  if (core::IsInterrupting() || core::IsInOomHandler()) return core::kBusy;
  if (core::HasHeaps() && core::PinsOfThread() != 0) return core::kBusy;
  core::Heap* const heap = core::ThreadHeap();
  if (core::g_instance.registry.OthersLive(
          heap != &core::g_no_heap ? heap : nullptr)) {
    return core::kBusy;
  }
  if constexpr (core::Config::kLeakReport) core::ReportLeaks();
  core::ReleaseAll();
  return 0;
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(abandon)(void) noexcept {
  const core::Call call;
  core::ReleaseAll();
}

ALCOVE_EXPORT const char* ALCOVE_PUBLIC(version)(void) noexcept {
  return ALCOVE_VERSION_STRING;
}

ALCOVE_EXPORT const char* ALCOVE_PUBLIC(config)(void) noexcept {
  return ALCOVE_CONFIG_JSON;
}
