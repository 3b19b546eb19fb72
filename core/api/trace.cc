#include "core/api/trace.h"

#include "core/api/allocate.h"
#include "core/api/entry_points.h"
#include "core/arena/occupants.h"
#include "core/base/log.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

// Which trace is a block's: the unit where its slab, run or span begins, and the
// block's number there. Blocks of runs are numbered in each unit anew.
struct TracePlace {
  const Range* range;
  size_t unit;
  size_t index;
};

TracePlace TracePlaceOf(const void* block) {
  const Range* const range = g_instance.region.RangeOf(block);
  TracePlace place = {range, range->IndexOf(block), 0};
  const MapEntry entry =
      Parts::EntryOfWhole(*range, block, EntryOf(*range, block));
  SizeClass c = ClassOfEntry(entry);
  if (c == kArenaClass) {
    c = SlabHolding(*range, block)->size_class;
    if (c == kRunMark) {
      place.index = AddressOf(block) % kUnit / kRunGranule;
      return place;
    }
  }
  if (!IsSlabClass(c)) return place;
  Slab* const slab = SlabHolding(*range, block);
  place.unit = range->IndexOf(slab->start);
  place.index = PlaceOf(slab, InfoOf(c), block).index;
  return place;
}

// To the sink, or to standard error where there is none.
[[maybe_unused]] void Report(TextLine& line) {
  if (const Log<LogLevel::error> log; log) return log.Write(line);
  line.WriteError();
}

}  // namespace

void WriteTrace(void* block, const platform::Frame* frame) {
  if constexpr (Config::kBacktraceFrames != 0) {
    const TracePlace place = TracePlaceOf(block);
    void** const out = g_instance.traces.At(g_instance.region, *place.range,
                                            place.unit, place.index);
    if (out == nullptr) return;
    const unsigned n = WalkFrames(frame, out, Config::kBacktraceFrames);
    if (n != Config::kBacktraceFrames) out[n] = nullptr;
  }
}

ALCOVE_COLD size_t VisitAll(TraceVisitor visit, void* context) {
  struct Outer {
    TraceVisitor visit;
    void* context;
  } outer = {visit, context};
  const BlockVisitor inner = [](void* block, size_t size, void* of) {
    const auto* const to = static_cast<const Outer*>(of);
    if (to->visit == nullptr) return;
    void* const* frames = nullptr;
    size_t count = 0;
    if constexpr (Config::kBacktraceFrames != 0) {
      const TracePlace place = TracePlaceOf(block);
      frames = g_instance.traces.Find(g_instance.region, *place.range,
                                      place.unit, place.index);
      while (frames != nullptr && count < Config::kBacktraceFrames &&
             frames[count] != nullptr)
        ++count;
    }
    to->visit(block, size, frames, count, to->context);
  };
  size_t count = 0;
  const auto visit_range = [&](const Range& range) {
    count += VisitSealed(inner, &outer, [&](BlockVisitor each, void* with) {
      return VisitOccupants(g_instance, g_arenas, range, each, with);
    });
  };
  for (unsigned i = 0; i < Region::kRangesMax; ++i) {
    const Range* const range = g_instance.region.range(i);
    if (range == nullptr) break;
    visit_range(*range);
  }
  g_instance.region.ForEachLent([&](const LentRange& lent) {
    if (lent.extent.Load(Order::kAcquire) != 0) visit_range(*lent.range);
  });
  return count;
}

ALCOVE_COLD void ReportLeaks() {
  if constexpr (Config::kLeakReport) {
    size_t bytes = 0;
    const size_t blocks = VisitAll(
        [](void* block, size_t size, void* const* frames, size_t count,
           void* sum) {
          *static_cast<size_t*>(sum) += size;
          TextLine line;
          line.Text("leak of ").Address(block).Text(" (a block of ");
          line.Decimal(size).Text(" bytes)");
          for (size_t i = 0; i < count; ++i)
            line.Text(i == 0 ? ", allocated at " : " ").Address(frames[i]);
          Report(line);
        },
        &bytes);
    if (blocks == 0) return;
    TextLine line;
    line.Decimal(blocks).Text(" blocks of ").Decimal(bytes);
    Report(line.Text(" bytes were not freed"));
  }
}

}  // namespace ALCOVE_CORE_NAMESPACE

namespace core = ALCOVE_CORE_NAMESPACE;

ALCOVE_EXPORT size_t ALCOVE_PUBLIC(visit_blocks)(void (*visit)(void*, size_t,
                                                               void* const*,
                                                               size_t, void*),
                                                 void* context) noexcept {
  return core::VisitAll(visit, context);
}
