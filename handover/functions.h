// The functions of one instance, as a value: what a Handover allocates through,
// and what a plugin hands to its host.
#ifndef ALCOVE_HANDOVER_FUNCTIONS_H_
#define ALCOVE_HANDOVER_FUNCTIONS_H_

#include <cstddef>

namespace alcove {

// Standard layout, which grows at its end. A plugin and its host are built with
// the same one where the table is passed by value; by its address, a plugin may
// have a newer one. An older one is refused.
struct InstanceFunctions {
  // sizeof(InstanceFunctions) where the table was written.
  size_t struct_size;
  void* (*malloc)(size_t size);
  void* (*calloc)(size_t count, size_t size);
  void* (*realloc)(void* block, size_t size);
  void* (*aligned_alloc)(size_t alignment, size_t size);
  void (*free)(void* block);
  size_t (*malloc_usable_size)(const void* block);
  int (*owns)(const void* address);
  void (*thread_detach)();
  int (*shutdown)();
  const char* (*version)();
  // `blocks_live` and `arenas` of the statistics, whose type is each instance's
  // own. 0, or what its `stats` returned.
  int (*count_live)(size_t* blocks, size_t* arenas);
  // The caller's own, for instance what dlopen returned; may be null.
  void* handle;
};

}  // namespace alcove

// The functions of the instance with a prefix, whose header is included; with a
// null handle. Where `linkage` is "plugin", only the shared object itself can
// write this.
#define ALCOVE_INSTANCE_FUNCTIONS(prefix)                                \
  ::alcove::InstanceFunctions {                                          \
    sizeof(::alcove::InstanceFunctions), prefix##malloc, prefix##calloc, \
        prefix##realloc, prefix##aligned_alloc, prefix##free,            \
        prefix##malloc_usable_size, prefix##owns, prefix##thread_detach, \
        prefix##shutdown, prefix##version,                               \
        [](std::size_t* blocks, std::size_t* arenas) {                   \
          prefix##stats_t stats = {};                                    \
          stats.struct_size = sizeof(stats);                             \
          const int error = prefix##stats(&stats);                       \
          *blocks = stats.blocks_live;                                   \
          *arenas = stats.arenas;                                        \
          return error;                                                  \
        },                                                               \
        nullptr                                                          \
  }

#endif  // ALCOVE_HANDOVER_FUNCTIONS_H_
