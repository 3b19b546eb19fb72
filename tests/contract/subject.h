// The instance under test, by names without a prefix, so that a suite is
// compiled once and linked with each variant. subject.cc says which it is.
#ifndef TESTS_CONTRACT_SUBJECT_H_
#define TESTS_CONTRACT_SUBJECT_H_

#include <cstddef>
#include <cstdint>

namespace subject {

// As in the public header; subject.cc asserts that the two agree.
struct Stats {
  size_t struct_size;
  size_t blocks_live;
  size_t bytes_live;
  size_t blocks_peak;
  size_t bytes_peak;
  size_t bytes_cached;
  size_t bytes_spans;
  size_t bytes_spans_peak;
  size_t bytes_dirty;
  size_t bytes_committed;
  size_t bytes_reserved;
  size_t bytes_metadata;
  size_t threads;
  uintptr_t address_low;
  uintptr_t address_high;
  size_t arenas;
  size_t bytes_break;
  size_t bytes_donated;
  size_t bytes_gaps;
};

// A handle of an arena; nothing is known of what it points to.
struct Arena;

inline constexpr uint32_t kGeneral = 0;
inline constexpr uint32_t kMonotonic = 1;

struct ArenaOptions {
  size_t struct_size;
  const char* name;
  Arena* parent;
  size_t hard_quota;
  size_t soft_quota;
  void (*on_soft_quota)(Arena* arena, size_t bytes_held, void* context);
  void* context;
  size_t alignment;
  size_t reserve;
  uint32_t mode;
  uint32_t flags;
};

struct ArenaStats {
  size_t struct_size;
  uint64_t number;
  char name[32];
  uint32_t mode;
  uint32_t threads;
  size_t children;
  size_t blocks_live;
  size_t bytes_live;
  size_t blocks_peak;
  size_t bytes_peak;
  size_t bytes_mapped;
  size_t bytes_committed;
  size_t bytes_held;
  size_t bytes_held_peak;
  size_t hard_quota;
  size_t soft_quota;
  size_t bytes_donated;
  size_t bytes_donated_used;
};

struct ArenaClassStats {
  size_t block_size;
  size_t blocks_live;
  size_t bytes_live;
  size_t units;
};

struct Pin;

extern const char* const prefix;

// Through volatile pointers: a compiler must not assume what it knows of
// functions of these names, such as that a block that is freed at once need not
// be allocated.
extern void* (*volatile malloc)(size_t);
extern void (*volatile free)(void*);
extern void* (*volatile calloc)(size_t, size_t);
extern void* (*volatile realloc)(void*, size_t);
extern void* (*volatile reallocarray)(void*, size_t, size_t);
extern void* (*volatile aligned_alloc)(size_t, size_t);
extern void* (*volatile memalign)(size_t, size_t);
extern int (*volatile posix_memalign)(void**, size_t, size_t);
extern size_t (*volatile malloc_usable_size)(const void*);
extern void (*volatile free_sized)(void*, size_t);
extern void (*volatile free_aligned_sized)(void*, size_t, size_t);
extern int (*volatile owns)(const void*);
extern size_t (*volatile malloc_good_size)(size_t);
extern size_t (*volatile try_realloc_in_place)(void*, size_t, size_t);
extern void* (*volatile alloc_at_multiple)(size_t, size_t);
extern int (*volatile free_range)(void*, size_t);
extern size_t (*volatile malloc_batch)(size_t, size_t, void**);
extern void (*volatile free_batch)(void* const*, size_t);
extern void* (*volatile sbrk)(intptr_t);
extern Pin* (*volatile pin)();
extern void (*volatile unpin)(Pin*);
extern void* (*volatile pinned_malloc)(Pin*, size_t);
extern void (*volatile pinned_free)(Pin*, void*);
extern int (*volatile donate)(void*, size_t);
extern size_t (*volatile donated_visit_blocks)(const void*,
                                               void (*)(void*, size_t, void*),
                                               void*);
extern Arena* (*volatile arena_create)(const ArenaOptions*);
extern void (*volatile arena_destroy)(Arena*);
extern void (*volatile arena_reset)(Arena*);
extern void* (*volatile arena_malloc)(Arena*, size_t);
extern void* (*volatile arena_calloc)(Arena*, size_t, size_t);
extern void* (*volatile arena_realloc)(Arena*, void*, size_t);
extern void* (*volatile arena_reallocarray)(Arena*, void*, size_t, size_t);
extern void* (*volatile arena_aligned_alloc)(Arena*, size_t, size_t);
extern int (*volatile arena_posix_memalign)(Arena*, void**, size_t, size_t);
extern void* (*volatile arena_alloc_at_multiple)(Arena*, size_t, size_t);
extern int (*volatile arena_donate)(Arena*, void*, size_t);
extern Arena* (*volatile arena_of)(const void*);
extern int (*volatile arena_stats)(Arena*, ArenaStats*);
extern size_t (*volatile arena_class_stats)(Arena*, ArenaClassStats*, size_t);
extern size_t (*volatile arena_visit_blocks)(Arena*,
                                             void (*)(void*, size_t, void*),
                                             void*);
extern size_t (*volatile purge)();
extern void (*volatile thread_detach)();
extern int (*volatile shutdown)();
extern const char* (*volatile version)();
extern const char* (*volatile config)();
extern int (*volatile stats)(Stats*);

}  // namespace subject

#endif  // TESTS_CONTRACT_SUBJECT_H_
