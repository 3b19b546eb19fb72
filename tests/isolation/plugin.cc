// A shared object with an instance; compiled once with each of two
// configurations, which share the prefix: who loads both has two instances of
// one name.
#include "tests/isolation/plugin.h"

#include PLUGIN_HEADER

namespace {

size_t Mapped() {
  plugin_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  plugin_stats(&stats);
  return stats.bytes_reserved + stats.bytes_metadata;
}

}  // namespace

isolation::Plugin IsolationPlugin() {
  return {ISOLATION_FUNCTIONS(plugin_), plugin_thread_detach, plugin_shutdown,
          Mapped};
}
