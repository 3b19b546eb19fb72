#include "core/api/oom.h"

#include "core/api/entry_points.h"
#include "core/base/log.h"

namespace ALCOVE_CORE_NAMESPACE {

using PublicHandler = ALCOVE_PUBLIC(oom_handler);
using PublicInfo = ALCOVE_PUBLIC(oom_info);
using PublicArena = ALCOVE_PUBLIC(arena);

constinit OomState g_oom;

// ---- Who is in a handler ----

ALCOVE_COLD bool OomState::Enter() {
  return homeless_.Enter(&g_instance.region.fork_generation()) !=
         ThreadPlaces<kHomelessMax>::kNone;
}

ALCOVE_COLD bool OomState::Has() const {
  uint64_t self = 0;
  for (unsigned i = 0; i < kHomelessMax; ++i) {
    const uint64_t who = homeless_.thread(i);
    if (who == 0) continue;
    if (self == 0) self = g_instance.region.fork_generation().Thread();
    if (who == self) return true;
  }
  return false;
}

ALCOVE_COLD void OomState::Leave() {
  uint64_t self = 0;
  for (unsigned i = 0; i < kHomelessMax; ++i) {
    const uint64_t who = homeless_.thread(i);
    if (who == 0) continue;
    if (self == 0) self = g_instance.region.fork_generation().Thread();
    if (who == self) homeless_.Leave(i);
  }
}

ALCOVE_COLD void OomState::Reset() {
  handler.Store(nullptr, Order::kRelaxed);
  homeless_.Reset();
}

namespace {

// What the calling thread keeps; null if it has no heap.
ThreadOom* OwnOom() {
  Heap* const heap = KeeperHeap();
  return heap == &g_no_heap ? nullptr : &ThreadRoom::Of(heap)->oom;
}

int Answer(OomHandler handler, const PublicInfo& info) {
  const auto* const public_one = static_cast<const PublicHandler*>(handler);
  return public_one->call(&info, public_one->context);
}

}  // namespace

// The thread may have got a heap since it had none and was asked.
ALCOVE_COLD bool IsInOomHandler() {
  const ThreadOom* const own = OwnOom();
  return (own != nullptr && own->asking.Load(Order::kRelaxed) != 0) ||
         g_oom.Has();
}

ALCOVE_COLD InOomHandler::InOomHandler() {
  if (IsInOomHandler()) return;
  Heap* const heap = KeeperHeap();
  if (heap == &g_no_heap) {
    is_homeless_ = g_oom.Enter();
    return;
  }
  ThreadRoom::Of(heap)->oom.asking.Store(1, Order::kRelaxed);
  heap_ = heap;
}

// The heap is still the thread's: there is no thread_detach in a handler.
ALCOVE_COLD InOomHandler::~InOomHandler() {
  if (heap_ != nullptr)
    ThreadRoom::Of(heap_)->oom.asking.Store(0, Order::kRelaxed);
  if (is_homeless_) g_oom.Leave();
}

// ---- Asking ----

ALCOVE_COLD void Shortage::Describe(TextLine* to) const {
  TextLine& line = *to;
  if (size_ == 0 && alignment_ == 0) {
    line.Text("out of memory: no arena");
  } else {
    line.Text("out of memory: ").Decimal(size_);
    line.Text(" bytes at a multiple of ").Decimal(alignment_);
  }
  if (arena_ != 0) {
    line.Text(", in ");
    g_arenas.Name(&line, arena_ >> kArenaPlaceBits,
                  static_cast<HeapNumber>(PlaceOfHandle(arena_)));
  }
}

ALCOVE_COLD void Shortage::StopTheProcess() const {
  TextLine line;
  Describe(&line);
  line.Stop();
}

ALCOVE_COLD void Shortage::LogFailure() const {
  if (const Log<LogLevel::error> log; log && IsPossible()) {
    TextLine line;
    Describe(&line);
    log.Write(line);
  }
}

ALCOVE_COLD bool Shortage::IsRetry(int answer) const {
  if (answer == ALCOVE_PUBLIC(oom_abort)) StopTheProcess();
  if (answer == ALCOVE_PUBLIC(oom_retry)) return true;
  if (answer == ALCOVE_PUBLIC(oom_fail)) return false;
  TextLine line;
  line.Text("an out-of-memory handler gave the unknown answer ")
      .Decimal(static_cast<unsigned>(answer))
      .Stop();
}

ALCOVE_COLD bool Shortage::Ask(unsigned asked, bool can_throw) const {
  if (!IsPossible()) return false;
  if (asked >= kOomAsksMax) return false;
  ThreadOom* const own = OwnOom();
  const OomHandler of_thread =
      own == nullptr ? nullptr : own->handler.Load(Order::kAcquire);
  if (of_thread == nullptr && g_oom.handler.Load(Order::kAcquire) == nullptr)
    return false;
  const InOomHandler in_handler;
  if (!in_handler.entered()) return false;
  const CallBack call_back;
  PublicInfo info = {};
  info.struct_size = sizeof(info);
  info.prefix = kInstanceName;
  info.arena = reinterpret_cast<PublicArena*>(arena_);
  info.size = size_;
  info.alignment = alignment_;
  info.asked = asked;
  info.can_throw = can_throw;
  if (of_thread != nullptr && IsRetry(Answer(of_thread, info))) return true;
  // Only now: the thread's may have set another one.
  const OomHandler of_all = g_oom.handler.Load(Order::kAcquire);
  return of_all != nullptr && IsRetry(Answer(of_all, info));
}

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

namespace {

bool IsSensible(const core::PublicHandler* handler) {
  return handler == nullptr || handler->call != nullptr;
}

void Tell(const core::PublicHandler** former, core::OomHandler handler) {
  if (former != nullptr)
    *former = static_cast<const core::PublicHandler*>(handler);
}

}  // namespace

ALCOVE_EXPORT int ALCOVE_PUBLIC(set_oom_handler)(
    const core::PublicHandler* handler,
    const core::PublicHandler** former) noexcept {
  if (!IsSensible(handler)) return core::kInvalidArgument;
  Tell(former, core::g_oom.handler.Exchange(handler, core::Order::kAcqRel));
  return 0;
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(set_thread_oom_handler)(
    const core::PublicHandler* handler,
    const core::PublicHandler** former) noexcept {
  if (!IsSensible(handler)) return core::kInvalidArgument;
  const core::Call call;
  if (handler != nullptr && core::CurrentHeap() == nullptr)
    return core::kNoMemory;
  core::ThreadOom* const own = core::OwnOom();
  Tell(former, own == nullptr
                   ? nullptr
                   : own->handler.Exchange(handler, core::Order::kAcqRel));
  return 0;
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(oom_leave)(void) noexcept {
  const core::Call call;
  core::ThreadOom* const own = core::OwnOom();
  if (own != nullptr) own->asking.Store(0, core::Order::kRelaxed);
  core::g_oom.Leave();
}

// Not noexcept. Nothing here has to be undone when a handler's exception passes:
// the level is, by CallBack, already as it was before the call; and that the
// thread is in a handler ends by oom_leave.
ALCOVE_EXPORT int ALCOVE_PUBLIC(oom_ask_throwing)(core::PublicArena* arena,
                                                  size_t size, size_t alignment,
                                                  unsigned asked) {
  const core::Call call;
  const core::Shortage shortage(core::AddressOf(arena), size, alignment);
  return shortage.Ask(asked, true);
}
