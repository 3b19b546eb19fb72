// The same work with the threads of a C library: musl's or glibc's, and one
// instance that meets it (the preset `hosted`) beside one that does not.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/freestanding/home_heap.h"
#include "tests/freestanding/near_heap.h"
#include "tests/freestanding/work.h"

DEFINE_INSTANCE(near_)
DEFINE_INSTANCE(home_)

struct task {
  pthread_t thread;
  void (*work)(void*);
  void* argument;
};

static void* run_task(void* argument) {
  const struct task* const task = argument;
  task->work(task->argument);
  return NULL;
}

static void* start(void (*work)(void*), void* argument) {
  struct task* const task = malloc(sizeof(*task));
  if (task == NULL) return NULL;
  task->work = work;
  task->argument = argument;
  if (pthread_create(&task->thread, NULL, run_task, task) == 0) return task;
  free(task);
  return NULL;
}

static void join(void* handle) {
  struct task* const task = handle;
  pthread_join(task->thread, NULL);
  free(task);
}

static void yield(void) { sched_yield(); }

// Its cache is handed back by the instance's own key, while this thread lives.
static void end_with_a_block(void* argument) {
  *(void**)argument = home_malloc(100);
}

int main(void) {
  const struct instance near = INSTANCE(near_);
  const struct instance home = INSTANCE(home_);
  const struct threads threads = {start, join, yield, 1};
  for (int i = 0; i < 2; ++i) {
    const int line = run_work(&near, &home, &threads);
    if (line != 0) {
      fprintf(stderr, "work.c:%d: not as it should be\n", line);
      return 1;
    }
  }
  void* block = NULL;
  join(start(end_with_a_block, &block));
  if (block == NULL || home_heaps_of() != 0) {
    fprintf(stderr, "a thread's end went unnoticed\n");
    return 2;
  }
  home_free(block);
  // Where errno is, and that it is this thread's.
  errno = 0;
  if (home_malloc((size_t)-1) != NULL || errno != ENOMEM) {
    fprintf(stderr, "errno is %d\n", errno);
    return 3;
  }
  errno = 0;
  if (near_malloc((size_t)-1) != NULL || errno != 0) return 4;
  return home_blocks() == 0 && home_shutdown() == 0 ? 0 : 5;
}
