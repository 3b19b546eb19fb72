// A program that runs with more rights than who starts it has, so that the
// dynamic loader and libc distrust its environment (AT_SECURE). Its malloc is
// an instance's, which must neither need the environment nor heed it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "tests/malloc/app_malloc_heap.h"

int main(void) {
  for (size_t size = 1; size < 10000000; size *= 3) {
    char* const block = malloc(size);
    if (block == NULL || !app_owns(block)) return 1;
    memset(block, 1, size);
    free(block);
  }
  printf("secure %lu\n", getauxval(AT_SECURE));
  // What would differ if somebody had been told to behave otherwise.
  puts(app_config());
  app_stats_t stats = {.struct_size = sizeof(stats)};
  if (app_stats(&stats) != 0) return 1;
  printf("reserved %zu, committed %zu, metadata %zu\n", stats.bytes_reserved,
         stats.bytes_committed, stats.bytes_metadata);
  return 0;
}
