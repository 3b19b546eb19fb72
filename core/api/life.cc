// The life of the instance, and of a thread in it.
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/state.h"
#include "core/api/thread_exit.h"

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT int ALCOVE_PUBLIC(owns)(const void* address) noexcept {
  const core::Range* const range = core::g_instance.region.RangeOf(address);
  if (range == nullptr) return 0;
  const core::SizeClass c = core::ClassOfEntry(core::EntryOf(*range, address));
  return c != 0 && c != core::kShelvedClass && c != core::kGoneClass;
}

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(purge)(void) noexcept {
  if (core::tls_heap != &core::g_no_heap) {
    core::g_arenas.Trim(core::tls_heap);
    core::tls_heap->DrainSpans();
  }
  core::g_arenas.TrimDead();
  core::g_instance.registry.CleanUpDead();
  return core::g_instance.region.Purge();
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(thread_detach)(void) noexcept {
  core::Heap* const heap = core::tls_heap;
  if (heap == &core::g_no_heap) return;
  core::thread_exit::Disarm();
  core::ForgetHeap();
  core::g_arenas.Trim(heap);
  core::g_instance.registry.HandBack(heap);
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(shutdown)(void) noexcept {
  const bool has_heap = core::tls_heap != &core::g_no_heap;
  if (core::g_instance.registry.OthersLive(has_heap ? core::tls_heap
                                                    : nullptr)) {
    return core::kBusy;
  }
  core::background::End();
  if (has_heap) core::thread_exit::Disarm();
  core::ForgetHeap();
  core::thread_exit::Release();
  core::g_arenas.Release();
  core::g_instance.registry.Release();  // one heap is in the region's memory
  core::g_instance.region.Release();
  core::g_instance.live.Reset();
  core::g_instance.homeless.Reset();
  core::g_instance.span_units.Store(0, core::Order::kRelaxed);
  return 0;
}

ALCOVE_EXPORT const char* ALCOVE_PUBLIC(version)(void) noexcept {
  return ALCOVE_VERSION_STRING;
}

ALCOVE_EXPORT const char* ALCOVE_PUBLIC(config)(void) noexcept {
  return ALCOVE_CONFIG_JSON;
}
