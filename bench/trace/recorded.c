// A program whose allocations are known, for the recorder to see.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void* Thread(void* argument) {
  free(argument);  // another thread's
  return malloc(12345);
}

int main(void) {
  char* block = malloc(1000);
  block = realloc(block, 2000000);  // moves
  void* aligned = NULL;
  if (posix_memalign(&aligned, 4096, 10) != 0) return 1;
  free(aligned);
  free(aligned_alloc(64, 64));
  free(calloc(77, 11));
  // A failed realloc changes nothing.
  volatile size_t too_much = (size_t)1 << 62;
  if (realloc(block, too_much) != NULL) return 1;
  free(block);
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) {
    if (pthread_create(&threads[i], NULL, Thread, malloc(500)) != 0) return 1;
  }
  for (int i = 0; i < 2; ++i) {
    void* result;
    pthread_join(threads[i], &result);
    free(result);
  }
  // A child's blocks are not the parent's.
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 1000; ++i) free(aligned_alloc(256, 256));
    _exit(0);
  }
  return waitpid(child, NULL, 0) != child;
}
