/* How the functions of this folder reach the one instance that they are linked with, of
   whatever prefix and release. bridge.c.tpl, which alcove_malloc fills in, implements it. */
#ifndef ALCOVE_INSTANCES_MALLOC_BRIDGE_H_
#define ALCOVE_INSTANCES_MALLOC_BRIDGE_H_

#include <stddef.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Not a name that a library exports: two shared objects with a malloc each must not mix up
   their instances. */
#define ALCOVE_MALLOC_INTERNAL __attribute__((visibility("hidden")))

/* What <prefix>stats says, as far as every release says it; bytes, where no other unit is
   named. */
typedef struct alcove_malloc_figures {
  const char* prefix;
  const char* version;
  size_t blocks_live;
  size_t bytes_live;
  size_t bytes_cached;
  size_t bytes_spans;
  size_t bytes_spans_peak;
  size_t bytes_dirty;
  size_t bytes_committed;
  size_t bytes_reserved;
  size_t bytes_metadata;
  size_t threads;
} alcove_malloc_figures;

ALCOVE_MALLOC_INTERNAL alcove_malloc_figures alcove_malloc_read_figures(void);

/* <prefix>purge: the bytes that went back to the system. */
ALCOVE_MALLOC_INTERNAL size_t alcove_malloc_purge(void);

#if defined(__cplusplus)
} /* extern "C" */
#endif

#endif /* ALCOVE_INSTANCES_MALLOC_BRIDGE_H_ */
