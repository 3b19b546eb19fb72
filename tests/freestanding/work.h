// What a program does with two instances and threads, whatever its C library,
// if it has one. In C17 without headers of a library, so that each compiler and
// each libc takes it.
#ifndef TESTS_FREESTANDING_WORK_H_
#define TESTS_FREESTANDING_WORK_H_

#include <stddef.h>

struct instance {
  void* (*malloc)(size_t size);
  void* (*calloc)(size_t count, size_t size);
  void* (*realloc)(void* block, size_t size);
  void (*free)(void* block);
  int (*owns)(const void* address);
  int (*shutdown)(void);
  // Of its statistics.
  size_t (*blocks_live)(void);
  size_t (*heaps)(void);  // that ever were at once
  size_t (*bytes_metadata)(void);
};

// The threads of the program's world. A thread that was joined is gone.
struct threads {
  // A thread that runs work(argument); null if there is none to be had.
  void* (*start)(void (*work)(void* argument), void* argument);
  void (*join)(void* thread);
  void (*yield)(void);
  int taken_over;  // whether a later one gets the heap of one that is gone
};

// 0 if all was as it should be, or the line that found something else. Leaves
// nothing of either instance behind.
int run_work(const struct instance* one, const struct instance* other,
             const struct threads* threads);

// An initializer for the instance with a prefix, from the functions that
// DEFINE_INSTANCE makes.
#define INSTANCE(prefix)                                                  \
  {                                                                       \
    prefix##malloc, prefix##calloc, prefix##realloc, prefix##free,        \
        prefix##owns, prefix##shutdown, prefix##blocks, prefix##heaps_of, \
        prefix##metadata                                                  \
  }

#define DEFINE_INSTANCE(prefix)                                            \
  static prefix##stats_t prefix##now(void) {                               \
    prefix##stats_t stats;                                                 \
    stats.struct_size = sizeof(stats);                                     \
    if (prefix##stats(&stats) != 0) __builtin_trap();                      \
    return stats;                                                          \
  }                                                                        \
  static size_t prefix##blocks(void) { return prefix##now().blocks_live; } \
  static size_t prefix##heaps_of(void) { return prefix##now().threads; }   \
  static size_t prefix##metadata(void) { return prefix##now().bytes_metadata; }

#endif  // TESTS_FREESTANDING_WORK_H_
