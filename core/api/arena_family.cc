// Arenas: arguments checked, failures given their errno, the rest in
// core/arena.
#include "core/api/allocate.h"
#include "core/api/arena_entry.h"
#include "core/api/background.h"
#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/oom.h"
#include "core/api/trace.h"
#include "core/arena/arena_blocks.h"
#include "core/arena/survey.h"
#include "core/base/log.h"
#include "core/base/mem.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

using PublicArena = ALCOVE_PUBLIC(arena);
using PublicOptions = ALCOVE_PUBLIC(arena_options);
using PublicStats = ALCOVE_PUBLIC(arena_stats_t);
using PublicClassStats = ALCOVE_PUBLIC(arena_class_stats_t);

constexpr size_t kOptionAlignmentMax = 4096;

ArenaHandle HandleOf(const PublicArena* arena) { return AddressOf(arena); }
PublicArena* PublicOf(ArenaHandle handle) {
  return reinterpret_cast<PublicArena*>(handle);
}

// As much of the caller's struct as it has, in `all` if that is not all of it;
// null if it says something that this release does not know.
const PublicOptions* ReadOptions(const PublicOptions* from,
                                 PublicOptions* all) {
  const size_t size = from->struct_size;
  if (ALCOVE_LIKELY(size == sizeof(*all))) return from;
  *all = {};
  // No caller has a struct of pages; this one is not initialized.
  if (size < sizeof(size_t) || size > 4096) return nullptr;
  memcpy(all, from, Min(size, sizeof(*all)));
  const char* const bytes = reinterpret_cast<const char*>(from);
  for (size_t i = sizeof(*all); i < size; ++i) {
    if (bytes[i] != 0) return nullptr;
  }
  return all;
}

bool IsSensible(const PublicOptions& options) {
  if (options.flags != 0) return false;
  if (options.mode != ALCOVE_PUBLIC(arena_general) &&
      options.mode != ALCOVE_PUBLIC(arena_monotonic)) {
    return false;
  }
  return options.alignment == 0 || (IsPowerOfTwo(options.alignment) &&
                                    options.alignment <= kOptionAlignmentMax);
}

struct ClassesOut {
  PublicClassStats* classes;
  size_t room;
  size_t count;
};

void TakeClass(const ClassSnapshot& s, void* context) {
  auto* const out = static_cast<ClassesOut*>(context);
  if (out->count < out->room) {
    out->classes[out->count] = {s.block_size, s.blocks_live, s.bytes_live,
                                s.units};
  }
  ++out->count;
}

}  // namespace

void CallSoftQuotaOf(SoftQuotaCallback callback, ArenaHandle handle,
                     size_t bytes, void* context) {
  const CallBack call_back;
  reinterpret_cast<decltype(PublicOptions::on_soft_quota)>(callback)(
      PublicOf(handle), bytes, context);
}

ArenaHandle ArenaHolding(const void* address) {
  const Range* const range = g_instance.region.RangeOf(address);
  if (range == nullptr) return 0;
  // The rest of a large block says nothing of whose it is.
  const MapEntry entry =
      EntryOf(*range, FirstUnitOf(*range, range->IndexOf(address)));
  if (ClassOfEntry(entry) != kArenaClass) return 0;
  return g_arenas.at(HeapOfEntry(entry))->handle.Load(Order::kRelaxed);
}

void* TryArenaAllocate(ArenaHandle handle, size_t size, size_t alignment,
                       bool zero) {
  Heap* const home = CurrentHeap();
  if (ALCOVE_UNLIKELY(home == nullptr)) return nullptr;
  [[maybe_unused]] const background::Tending tending;
  ArenaHeap* heap;
  void* block = nullptr;
  {
    const Heap::AboveAtWork at_work(home);
    heap = g_arenas.HeapFor(home, handle);
    if (ALCOVE_LIKELY(heap != nullptr))
      block = heap->Allocate(WithCanary(size), alignment, zero);
  }
  if (ALCOVE_UNLIKELY(heap == nullptr)) return nullptr;
  // The callback may look at the arena's blocks.
  block = Sealed(block, size);
  Arenas::CallBack(heap->arena(), heap->TakeCrossed(), CallSoftQuotaOf);
  return block;
}

void* ArenaAllocateSlow(ArenaHandle handle, size_t size, size_t alignment,
                        bool zero) {
  void* const block = TryArenaAllocate(handle, size, alignment, zero);
  if (ALCOVE_LIKELY(block != nullptr)) return block;
  const size_t promised = Max(alignment, size < 16 ? 8 : 16);
  return TryAgainOrFail(
      Shortage(handle, size, promised), [handle, size, alignment, zero] {
        return TryArenaAllocate(handle, size, alignment, zero);
      });
}

static ALCOVE_INLINE void LogArena(const char* what, ArenaHandle handle) {
  if (const Log<LogLevel::info> log; log) {
    TextLine line;
    g_arenas.Name(&line, handle >> kArenaPlaceBits,
                  static_cast<HeapNumber>(PlaceOfHandle(handle)));
    log.Write(line.Text(" ").Text(what));
  }
}

static ArenaHandle TryCreate(const ArenaOptions& options) {
  Heap* const home = CurrentHeap();
  if (ALCOVE_UNLIKELY(home == nullptr)) return 0;
  return g_arenas.Create(&g_instance, home, options);
}

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT core::PublicArena* ALCOVE_PUBLIC(arena_create)(
    const core::PublicOptions* options) noexcept {
  core::ArenaOptions all;
  if (options != nullptr) {
    core::PublicOptions copy;
    const core::PublicOptions* const read = core::ReadOptions(options, &copy);
    if (read == nullptr || !core::IsSensible(*read)) {
      core::Fail(core::kInvalidArgument);
      return nullptr;
    }
    const core::PublicOptions& given = *read;
    if (given.parent != nullptr &&
        core::g_arenas.Resolve(core::HandleOf(given.parent))->level + 1 >=
            core::kLevelsMax) {
      core::Fail(core::kInvalidArgument);
      return nullptr;
    }
    all.name = given.name;
    all.parent = core::HandleOf(given.parent);
    all.hard_quota = given.hard_quota;
    all.soft_quota = given.soft_quota;
    all.on_soft_quota =
        reinterpret_cast<core::SoftQuotaCallback>(given.on_soft_quota);
    all.context = given.context;
    all.alignment = given.alignment;
    all.reserve = given.reserve;
    all.monotonic = given.mode == ALCOVE_PUBLIC(arena_monotonic);
  }
  const core::Call call;
  core::ArenaHandle handle = core::TryCreate(all);
  if (ALCOVE_UNLIKELY(handle == 0)) {
    core::Shortage shortage(all.parent, 0, 0);
    while (handle == 0 && shortage.TryAgain()) handle = core::TryCreate(all);
    if (handle == 0) {
      shortage.LogFailure();
      core::Fail(core::kNoMemory);
    }
  }
  if (handle != 0) core::LogArena("created", handle);
  return core::PublicOf(handle);
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(arena_destroy)(
    core::PublicArena* arena) noexcept {
  if (arena == nullptr) return;
  const core::Call call;
  core::Heap* const home = core::CurrentHeap();
  [[maybe_unused]] const core::background::Tending tending;
  core::g_arenas.Destroy(home, core::HandleOf(arena));
  core::LogArena("destroyed", core::HandleOf(arena));
}

ALCOVE_EXPORT void ALCOVE_PUBLIC(arena_reset)(
    core::PublicArena* arena) noexcept {
  const core::Call call;
  core::Heap* const home = core::CurrentHeap();
  [[maybe_unused]] const core::background::Tending tending;
  core::g_arenas.Reset(home, core::HandleOf(arena));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(arena_malloc)(core::PublicArena* arena,
                                                size_t size) noexcept {
  const core::Call call;
  return core::Traced(core::ArenaAllocate(core::HandleOf(arena), size));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(arena_calloc)(core::PublicArena* arena,
                                                size_t count,
                                                size_t size) noexcept {
  size_t bytes;
  if (ALCOVE_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)))
    return core::Fail(core::kNoMemory);
  const core::Call call;
  return core::Traced(
      core::ArenaAllocateSlow(core::HandleOf(arena), bytes, 8, true));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(arena_aligned_alloc)(core::PublicArena* arena,
                                                       size_t alignment,
                                                       size_t size) noexcept {
  const core::Call call;
  if (ALCOVE_LIKELY(alignment == 16 && size >= 16))
    return core::Traced(core::ArenaAllocate(core::HandleOf(arena), size));
  if (ALCOVE_UNLIKELY(!core::ValidAlignment(alignment))) {
    core::g_arenas.Resolve(core::HandleOf(arena));
    return core::Fail(core::kInvalidArgument);
  }
  return core::Traced(
      core::ArenaAllocateSlow(core::HandleOf(arena), size, alignment, false));
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(arena_posix_memalign)(core::PublicArena* arena,
                                                      void** block,
                                                      size_t alignment,
                                                      size_t size) noexcept {
  if (ALCOVE_UNLIKELY(!core::ValidAlignment(alignment) ||
                      alignment < sizeof(void*))) {
    core::g_arenas.Resolve(core::HandleOf(arena));
    return core::kInvalidArgument;
  }
  const core::KeepErrno keep_errno;
  const core::Call call;
  void* const result = core::Traced(
      core::ArenaAllocateSlow(core::HandleOf(arena), size, alignment, false));
  if (ALCOVE_UNLIKELY(result == nullptr)) return core::kNoMemory;
  *block = result;
  return 0;
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(arena_realloc)(core::PublicArena* arena,
                                                 void* block,
                                                 size_t size) noexcept {
  const core::Call call;
  if (block == nullptr)
    return core::Traced(core::ArenaAllocate(core::HandleOf(arena), size));
  const core::Arena* const resolved =
      core::g_arenas.Resolve(core::HandleOf(arena));
  if (ALCOVE_UNLIKELY(ALCOVE_PUBLIC(arena_of)(block) != arena)) {
    core::TextLine line;
    line.Text("realloc in ");
    core::g_arenas.Name(&line, core::HandleOf(arena) >> core::kArenaPlaceBits,
                        resolved->place);
    line.Text(" of ").Address(block).Text(", which is not its block").Stop();
  }
  if (size == 0) {
    core::Free(block);
    return nullptr;
  }
  return core::Traced(core::Reallocate(block, size));
}

ALCOVE_EXPORT void* ALCOVE_PUBLIC(arena_reallocarray)(core::PublicArena* arena,
                                                      void* block, size_t count,
                                                      size_t size) noexcept {
  size_t bytes;
  if (ALCOVE_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)))
    return core::Fail(core::kNoMemory);
  return ALCOVE_PUBLIC(arena_realloc)(arena, block, bytes);
}

ALCOVE_EXPORT core::PublicArena* ALCOVE_PUBLIC(arena_of)(
    const void* address) noexcept {
  return core::PublicOf(core::ArenaHolding(address));
}

ALCOVE_EXPORT int ALCOVE_PUBLIC(arena_stats)(
    core::PublicArena* arena, core::PublicStats* stats) noexcept {
  const core::Arena& a = *core::g_arenas.Resolve(core::HandleOf(arena));
  if (stats == nullptr || stats->struct_size < sizeof(stats->struct_size))
    return core::kInvalidArgument;
  const core::ArenaSnapshot s = core::TakeSnapshot(a);
  core::PublicStats full = {};
  full.struct_size = stats->struct_size;
  full.number = a.number.Load(core::Order::kRelaxed);
  // Without a name only the first word is sure to be zero.
  const bool named = a.name[0].Load(core::Order::kRelaxed) != 0;
  for (size_t i = 0; named && i < sizeof(full.name) / sizeof(uint64_t); ++i) {
    const uint64_t word = a.name[i].Load(core::Order::kRelaxed);
    memcpy(full.name + i * sizeof(word), &word, sizeof(word));
  }
  full.mode = a.monotonic ? ALCOVE_PUBLIC(arena_monotonic)
                          : ALCOVE_PUBLIC(arena_general);
  full.threads = static_cast<uint32_t>(s.threads);
  full.children = a.children.Load(core::Order::kRelaxed);
  full.blocks_live = s.blocks_live;
  full.bytes_live = s.bytes_live;
  full.blocks_peak = s.blocks_peak;
  full.bytes_peak = s.bytes_peak;
  full.bytes_mapped = s.bytes_mapped;
  full.bytes_committed = s.bytes_committed;
  full.bytes_held = a.quota.held();
  full.bytes_held_peak = a.quota.peak();
  full.hard_quota = a.quota.hard();
  full.soft_quota = a.quota.soft();
  full.bytes_donated = s.bytes_donated;
  full.bytes_donated_used = s.bytes_donated_used;
  // A caller that was built with an older header has a shorter struct.
  memcpy(stats, &full, core::Min(stats->struct_size, sizeof(full)));
  return 0;
}

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(arena_class_stats)(
    core::PublicArena* arena, core::PublicClassStats* classes,
    size_t count) noexcept {
  core::ClassesOut out = {classes, classes == nullptr ? 0 : count, 0};
  core::VisitClasses(*core::g_arenas.Resolve(core::HandleOf(arena)),
                     core::TakeClass, &out);
  return out.count;
}

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(arena_visit_blocks)(
    core::PublicArena* arena, void (*visit)(void*, size_t, void*),
    void* context) noexcept {
  const core::Arena& of = *core::g_arenas.Resolve(core::HandleOf(arena));
  return core::VisitSealed(visit, context,
                           [&of](core::BlockVisitor each, void* with) {
                             return core::VisitBlocks(of, each, with);
                           });
}
