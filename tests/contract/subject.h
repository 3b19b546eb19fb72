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
};

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
extern size_t (*volatile purge)();
extern void (*volatile thread_detach)();
extern int (*volatile shutdown)();
extern const char* (*volatile version)();
extern const char* (*volatile config)();
extern int (*volatile stats)(Stats*);

}  // namespace subject

#endif  // TESTS_CONTRACT_SUBJECT_H_
