// A thread's heap, looked up once for many calls.
#include "core/api/allocate.h"
#include "core/api/entry_points.h"
#include "core/api/trace.h"
#include "core/base/line.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

using Pin = ALCOVE_PUBLIC(pin_t);

// A thread that gets no heap pins &g_no_heap, from which every path is the slow
// one, which tries again.
Heap* HeapOf(Pin* pin) { return reinterpret_cast<Heap*>(pin); }

// With levels a call has to find out its own; and canaries take a slow path.
constexpr bool kSkips = !Config::kAsyncSignalSafe && !Config::kCanaries;

void CheckPin(const Heap* heap) {
  if constexpr (Config::kCheckInvariants && kSkips) {
    if (heap == &g_no_heap || heap == ThreadHeap()) return;
    TextLine line;
    line.Text("call with a pin that is not this thread's").Stop();
  }
}

}  // namespace

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT core::Pin* ALCOVE_PUBLIC(pin)(void) noexcept {
  const core::Call call;
  core::Heap* heap = core::CurrentHeap();
  if (ALCOVE_UNLIKELY(heap == nullptr)) {
    heap = &core::g_no_heap;
  } else {
    core::PinsOfThread() += 1;
  }
  return reinterpret_cast<core::Pin*>(heap);
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(unpin)(core::Pin* pin) noexcept {
  const core::Call call;
  if (core::HeapOf(pin) == &core::g_no_heap) return;
  core::CheckPin(core::HeapOf(pin));
  if (ALCOVE_UNLIKELY(!core::HasHeaps() || core::PinsOfThread() == 0)) {
    core::TextLine line;
    line.Text("unpin without a pin").Stop();
  }
  core::PinsOfThread() -= 1;
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(pinned_malloc)(core::Pin* pin,
                                                 size_t size) noexcept {
  const core::Call call;
  if constexpr (core::kSkips) {
    core::CheckPin(core::HeapOf(pin));
    return core::Traced(
        core::AllocateFrom([pin] { return core::HeapOf(pin); }, size));
  }
  return core::Traced(core::Allocate(size));
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(pinned_free)(core::Pin* pin,
                                              void* block) noexcept {
  const core::Call call;
  if constexpr (core::kSkips) {
    core::CheckPin(core::HeapOf(pin));
    return core::FreeTo(core::HeapOf(pin), block);
  }
  core::Free(block);
}
