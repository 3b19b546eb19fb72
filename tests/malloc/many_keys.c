// libc has room for 32 thread keys in a thread's own block; from the 33rd on
// pthread_setspecific calls calloc. Here that happens inside the first malloc
// of each thread, which is when an instance takes its key.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/malloc/app_malloc_heap.h"

enum { kKeys = 40, kThreads = 200 };

static pthread_key_t keys[kKeys];

static void Fail(const char* what) {
  if (write(STDERR_FILENO, what, strlen(what)) < 0) _exit(2);
  _exit(1);
}

static app_stats_t Stats(void) {
  app_stats_t stats = {.struct_size = sizeof(stats)};
  if (app_stats(&stats) != 0) Fail("stats\n");
  return stats;
}

static void FreeValue(void* value) { free(value); }

// Before libc has any block that it goes back to: it took some for dlopen,
// which this program does without. After a shutdown an instance is as at the
// start.
static void TakeKeys(int argc, char** argv, char** environment) {
  (void)argc, (void)argv, (void)environment;
  if (app_shutdown() != 0 || Stats().bytes_reserved != 0) Fail("shutdown\n");
  for (int i = 0; i < kKeys; ++i) {
    if (pthread_key_create(&keys[i], FreeValue) != 0) Fail("key\n");
  }
}
__attribute__((section(".preinit_array"),
               used)) static void (*preinit)(int, char**, char**) = TakeKeys;

static void* Thread(void* unused) {
  (void)unused;
  void* const first = malloc(100);
  if (!app_owns(first)) Fail("not ours\n");
  // Freed by the keys' destructors, before and after the instance's own.
  if (pthread_setspecific(keys[0], malloc(200)) != 0) Fail("set\n");
  if (pthread_setspecific(keys[kKeys - 1], malloc(300)) != 0) Fail("set\n");
  free(first);
  return NULL;
}

int main(void) {
  void* const block = malloc(1);
  if (!app_owns(block)) Fail("not ours\n");
  free(block);
  // That the keys came first is what this test rests on.
  pthread_key_t last;
  if (pthread_key_create(&last, NULL) != 0 || last <= kKeys) Fail("order\n");
  const size_t live = Stats().blocks_live;
  for (int i = 0; i < kThreads; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, Thread, NULL) != 0) Fail("create\n");
    pthread_join(thread, NULL);
  }
  const app_stats_t stats = Stats();
  if (stats.threads > 4) Fail("heaps of dead threads pile up\n");
  // A cached stack keeps a block or two of libc's.
  if (stats.blocks_live > live + 8) Fail("blocks are lost\n");
  puts("good");
  return 0;
}
