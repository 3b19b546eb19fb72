// A library that is opened and closed while threads go on: a constructor, a
// destructor and thread-local storage, too much of it to be static.
#include <stdlib.h>
#include <string.h>

static __thread char storage[300000];
static void* from_constructor;

__attribute__((constructor)) static void Opened(void) {
  from_constructor = malloc(1000);
}

__attribute__((destructor)) static void Closed(void) {
  free(from_constructor);
  free(malloc(2000));
}

void* UsePlugin(size_t number) {
  for (size_t at = 0; at < sizeof(storage); at += 4096) {
    if (storage[at] != 0 && storage[at] != (char)(number + 1)) abort();
  }
  memset(storage, (int)number + 1, sizeof(storage));
  return malloc(sizeof(storage));
}

void GiveBack(void* block) { free(block); }
