/* Written by alcove_malloc; do not edit. */
#include "instances/malloc/bridge.h"

#include "{HEADER}"

alcove_malloc_figures alcove_malloc_read_figures(void) {
  {PREFIX}stats_t stats = {.struct_size = sizeof(stats)};
  {PREFIX}stats(&stats);
  return (alcove_malloc_figures){
      .prefix = "{PREFIX}",
      .version = {PREFIX}version(),
      .blocks_live = stats.blocks_live,
      .bytes_live = stats.bytes_live,
      .bytes_cached = stats.bytes_cached,
      .bytes_spans = stats.bytes_spans,
      .bytes_spans_peak = stats.bytes_spans_peak,
      .bytes_dirty = stats.bytes_dirty,
      .bytes_committed = stats.bytes_committed,
      .bytes_reserved = stats.bytes_reserved,
      .bytes_metadata = stats.bytes_metadata,
      .threads = stats.threads,
  };
}

size_t alcove_malloc_purge(void) { return {PREFIX}purge(); }
