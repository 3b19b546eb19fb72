// Compiled for each variant, with SUBJECT_HEADER and SUBJECT_PREFIX.
#include "tests/contract/subject.h"

#include SUBJECT_HEADER

#define SUBJECT_PASTE_(prefix, name) prefix##name
#define SUBJECT_PASTE(prefix, name) SUBJECT_PASTE_(prefix, name)
#define SUBJECT(name) SUBJECT_PASTE(SUBJECT_PREFIX, name)
#define SUBJECT_STRING_(text) #text
#define SUBJECT_STRING(text) SUBJECT_STRING_(text)

namespace subject {

using Theirs = SUBJECT(stats_t);
static_assert(sizeof(Stats) == sizeof(Theirs));
#define SUBJECT_SAME_MEMBER(member) \
  static_assert(offsetof(Stats, member) == offsetof(Theirs, member))
SUBJECT_SAME_MEMBER(struct_size);
SUBJECT_SAME_MEMBER(blocks_live);
SUBJECT_SAME_MEMBER(bytes_live);
SUBJECT_SAME_MEMBER(blocks_peak);
SUBJECT_SAME_MEMBER(bytes_peak);
SUBJECT_SAME_MEMBER(bytes_cached);
SUBJECT_SAME_MEMBER(bytes_spans);
SUBJECT_SAME_MEMBER(bytes_spans_peak);
SUBJECT_SAME_MEMBER(bytes_dirty);
SUBJECT_SAME_MEMBER(bytes_committed);
SUBJECT_SAME_MEMBER(bytes_reserved);
SUBJECT_SAME_MEMBER(bytes_metadata);
SUBJECT_SAME_MEMBER(threads);
SUBJECT_SAME_MEMBER(address_low);
SUBJECT_SAME_MEMBER(address_high);
SUBJECT_SAME_MEMBER(arenas);

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
size_t (*volatile purge)() = SUBJECT(purge);
void (*volatile thread_detach)() = SUBJECT(thread_detach);
int (*volatile shutdown)() = SUBJECT(shutdown);
const char* (*volatile version)() = SUBJECT(version);
const char* (*volatile config)() = SUBJECT(config);
int (*volatile stats)(Stats*) = [](Stats* stats) {
  return SUBJECT(stats)(reinterpret_cast<Theirs*>(stats));
};

}  // namespace subject
