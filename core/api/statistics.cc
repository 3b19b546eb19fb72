#include "core/api/entry_points.h"
#include "core/api/failure.h"
#include "core/api/state.h"
#include "core/base/mem.h"
#include "core/stats/stats.h"

namespace core = ALCOVE_CORE_NAMESPACE;

using PublicStats = ALCOVE_PUBLIC(stats_t);

ALCOVE_EXPORT int ALCOVE_PUBLIC(stats)(PublicStats* stats) noexcept {
  if (stats == nullptr || stats->struct_size < sizeof(stats->struct_size)) {
    return core::kInvalidArgument;
  }
  const core::Snapshot s = core::TakeSnapshot(core::g_instance);
  PublicStats full = {};
  full.struct_size = stats->struct_size;
  full.blocks_live = s.blocks_live;
  full.bytes_live = s.bytes_live;
  full.blocks_peak = s.blocks_peak;
  full.bytes_peak = s.bytes_peak;
  full.bytes_cached = s.bytes_cached;
  full.bytes_spans = s.bytes_spans;
  full.bytes_spans_peak = s.bytes_spans_peak;
  full.bytes_dirty = s.bytes_dirty;
  full.bytes_committed = s.bytes_committed;
  full.bytes_reserved = s.bytes_reserved;
  full.bytes_metadata = s.bytes_metadata + core::g_arenas.mapped();
  full.threads = s.threads;
  full.address_low = s.address_low;
  full.address_high = s.address_high;
  full.arenas = core::g_arenas.Count();
  full.bytes_break = s.bytes_break;
  full.bytes_donated = s.bytes_donated;
  full.bytes_gaps = s.bytes_gaps;
  // A caller that was built with an older header has a shorter struct.
  memcpy(stats, &full, core::Min(stats->struct_size, sizeof(full)));
  return 0;
}
