// Compiled for each variant, with SUBJECT_HEADER and SUBJECT_PREFIX.
#include "tests/contract/subject.h"

#include SUBJECT_HEADER

#define SUBJECT_PASTE_(prefix, name) prefix##name
#define SUBJECT_PASTE(prefix, name) SUBJECT_PASTE_(prefix, name)
#define SUBJECT(name) SUBJECT_PASTE(SUBJECT_PREFIX, name)
#define SUBJECT_STRING_(text) #text
#define SUBJECT_STRING(text) SUBJECT_STRING_(text)

namespace subject {

// Every struct has the layout of the public one.
#define SUBJECT_SAME_SIZE(ours, theirs) \
  static_assert(sizeof(ours) == sizeof(SUBJECT(theirs)))
#define SUBJECT_SAME_MEMBER(ours, theirs, member) \
  static_assert(offsetof(ours, member) == offsetof(SUBJECT(theirs), member))

SUBJECT_SAME_SIZE(Stats, stats_t);
SUBJECT_SAME_MEMBER(Stats, stats_t, struct_size);
SUBJECT_SAME_MEMBER(Stats, stats_t, blocks_live);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_live);
SUBJECT_SAME_MEMBER(Stats, stats_t, blocks_peak);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_peak);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_cached);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_spans);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_spans_peak);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_dirty);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_committed);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_reserved);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_metadata);
SUBJECT_SAME_MEMBER(Stats, stats_t, threads);
SUBJECT_SAME_MEMBER(Stats, stats_t, address_low);
SUBJECT_SAME_MEMBER(Stats, stats_t, address_high);
SUBJECT_SAME_MEMBER(Stats, stats_t, arenas);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_break);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_donated);
SUBJECT_SAME_MEMBER(Stats, stats_t, bytes_gaps);

SUBJECT_SAME_SIZE(ArenaOptions, arena_options);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, struct_size);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, name);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, parent);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, hard_quota);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, soft_quota);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, on_soft_quota);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, context);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, alignment);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, reserve);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, mode);
SUBJECT_SAME_MEMBER(ArenaOptions, arena_options, flags);

SUBJECT_SAME_SIZE(ArenaStats, arena_stats_t);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, struct_size);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, number);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, name);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, mode);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, threads);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, children);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, blocks_live);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_live);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, blocks_peak);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_peak);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_mapped);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_committed);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_held);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_held_peak);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, hard_quota);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, soft_quota);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_donated);
SUBJECT_SAME_MEMBER(ArenaStats, arena_stats_t, bytes_donated_used);

SUBJECT_SAME_SIZE(ArenaClassStats, arena_class_stats_t);
SUBJECT_SAME_MEMBER(ArenaClassStats, arena_class_stats_t, block_size);
SUBJECT_SAME_MEMBER(ArenaClassStats, arena_class_stats_t, blocks_live);
SUBJECT_SAME_MEMBER(ArenaClassStats, arena_class_stats_t, bytes_live);
SUBJECT_SAME_MEMBER(ArenaClassStats, arena_class_stats_t, units);

static_assert(kGeneral == SUBJECT(arena_general));
static_assert(kMonotonic == SUBJECT(arena_monotonic));

namespace {

SUBJECT(arena) * Theirs(Arena* arena) {
  return reinterpret_cast<SUBJECT(arena)*>(arena);
}
SUBJECT(pin_t) * Theirs(Pin* pin) {
  return reinterpret_cast<SUBJECT(pin_t)*>(pin);
}
Arena* Ours(SUBJECT(arena) * arena) { return reinterpret_cast<Arena*>(arena); }

}  // namespace

const char* const prefix = SUBJECT_STRING(SUBJECT_PREFIX);

void* (*volatile malloc)(size_t) = SUBJECT(malloc);
void (*volatile free)(void*) = SUBJECT(free);
void* (*volatile calloc)(size_t, size_t) = SUBJECT(calloc);
void* (*volatile realloc)(void*, size_t) = SUBJECT(realloc);
void* (*volatile reallocarray)(void*, size_t, size_t) = SUBJECT(reallocarray);
void* (*volatile aligned_alloc)(size_t, size_t) = SUBJECT(aligned_alloc);
void* (*volatile memalign)(size_t, size_t) = SUBJECT(memalign);
int (*volatile posix_memalign)(void**, size_t,
                               size_t) = SUBJECT(posix_memalign);
size_t (*volatile malloc_usable_size)(const void*) =
    SUBJECT(malloc_usable_size);
void (*volatile free_sized)(void*, size_t) = SUBJECT(free_sized);
void (*volatile free_aligned_sized)(void*, size_t,
                                    size_t) = SUBJECT(free_aligned_sized);
int (*volatile owns)(const void*) = SUBJECT(owns);
size_t (*volatile malloc_good_size)(size_t) = SUBJECT(malloc_good_size);
size_t (*volatile try_realloc_in_place)(void*, size_t,
                                        size_t) = SUBJECT(try_realloc_in_place);
void* (*volatile alloc_at_multiple)(size_t,
                                    size_t) = SUBJECT(alloc_at_multiple);
size_t (*volatile malloc_batch)(size_t, size_t, void**) = SUBJECT(malloc_batch);
void (*volatile free_batch)(void* const*, size_t) = SUBJECT(free_batch);
int (*volatile free_range)(void*, size_t) = SUBJECT(free_range);
void* (*volatile sbrk)(intptr_t) = SUBJECT(sbrk);
Pin* (*volatile pin)() = [] { return reinterpret_cast<Pin*>(SUBJECT(pin)()); };
void (*volatile unpin)(Pin*) = [](Pin* pin) { SUBJECT(unpin)(Theirs(pin)); };
void* (*volatile pinned_malloc)(Pin*, size_t) = [](Pin* pin, size_t size) {
  return SUBJECT(pinned_malloc)(Theirs(pin), size);
};
void (*volatile pinned_free)(Pin*, void*) = [](Pin* pin, void* block) {
  SUBJECT(pinned_free)(Theirs(pin), block);
};
int (*volatile donate)(void*, size_t) = SUBJECT(donate);
size_t (*volatile donated_visit_blocks)(const void*,
                                        void (*)(void*, size_t, void*),
                                        void*) = SUBJECT(donated_visit_blocks);
size_t (*volatile purge)() = SUBJECT(purge);
void (*volatile thread_detach)() = SUBJECT(thread_detach);
int (*volatile shutdown)() = SUBJECT(shutdown);
const char* (*volatile version)() = SUBJECT(version);
const char* (*volatile config)() = SUBJECT(config);
int (*volatile stats)(Stats*) = [](Stats* stats) {
  return SUBJECT(stats)(reinterpret_cast<SUBJECT(stats_t)*>(stats));
};

Arena* (*volatile arena_create)(const ArenaOptions*) =
    [](const ArenaOptions* options) {
      return Ours(SUBJECT(arena_create)(
          reinterpret_cast<const SUBJECT(arena_options)*>(options)));
    };
void (*volatile arena_destroy)(Arena*) = [](Arena* arena) {
  SUBJECT(arena_destroy)(Theirs(arena));
};
void (*volatile arena_reset)(Arena*) = [](Arena* arena) {
  SUBJECT(arena_reset)(Theirs(arena));
};
void* (*volatile arena_malloc)(Arena*, size_t) = [](Arena* arena, size_t size) {
  return SUBJECT(arena_malloc)(Theirs(arena), size);
};
void* (*volatile arena_calloc)(Arena*, size_t, size_t) =
    [](Arena* arena, size_t count, size_t size) {
      return SUBJECT(arena_calloc)(Theirs(arena), count, size);
    };
void* (*volatile arena_realloc)(Arena*, void*, size_t) =
    [](Arena* arena, void* block, size_t size) {
      return SUBJECT(arena_realloc)(Theirs(arena), block, size);
    };
void* (*volatile arena_reallocarray)(Arena*, void*, size_t, size_t) =
    [](Arena* arena, void* block, size_t count, size_t size) {
      return SUBJECT(arena_reallocarray)(Theirs(arena), block, count, size);
    };
void* (*volatile arena_alloc_at_multiple)(Arena*, size_t, size_t) =
    [](Arena* arena, size_t multiple, size_t size) {
      return SUBJECT(arena_alloc_at_multiple)(Theirs(arena), multiple, size);
    };
void* (*volatile arena_aligned_alloc)(Arena*, size_t, size_t) =
    [](Arena* arena, size_t alignment, size_t size) {
      return SUBJECT(arena_aligned_alloc)(Theirs(arena), alignment, size);
    };
int (*volatile arena_posix_memalign)(Arena*, void**, size_t, size_t) =
    [](Arena* arena, void** block, size_t alignment, size_t size) {
      return SUBJECT(arena_posix_memalign)(Theirs(arena), block, alignment,
                                           size);
    };
int (*volatile arena_donate)(Arena*, void*, size_t) =
    [](Arena* arena, void* memory, size_t size) {
      return SUBJECT(arena_donate)(Theirs(arena), memory, size);
    };
Arena* (*volatile arena_of)(const void*) = [](const void* address) {
  return Ours(SUBJECT(arena_of)(address));
};
int (*volatile arena_stats)(Arena*, ArenaStats*) = [](Arena* arena,
                                                      ArenaStats* stats) {
  return SUBJECT(arena_stats)(Theirs(arena),
                              reinterpret_cast<SUBJECT(arena_stats_t)*>(stats));
};
size_t (*volatile arena_class_stats)(Arena*, ArenaClassStats*, size_t) =
    [](Arena* arena, ArenaClassStats* classes, size_t count) {
      return SUBJECT(arena_class_stats)(
          Theirs(arena),
          reinterpret_cast<SUBJECT(arena_class_stats_t)*>(classes), count);
    };
size_t (*volatile arena_visit_blocks)(Arena*, void (*)(void*, size_t, void*),
                                      void*) =
    [](Arena* arena, void (*visit)(void*, size_t, void*), void* context) {
      return SUBJECT(arena_visit_blocks)(Theirs(arena), visit, context);
    };

}  // namespace subject
