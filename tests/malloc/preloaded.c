// A C program that has never heard of Alcove, run with libalcove.so preloaded:
//
//   preloaded NAMES [PLUGIN]
//
// Prints the file that each function of a list comes from; then loads a C++
// plugin and lets it run out of memory.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void* Churn(void* seed) {
  unsigned state = (unsigned)(size_t)seed;
  void* blocks[64] = {0};
  for (int i = 0; i < 100000; ++i) {
    state = state * 1664525u + 1013904223u;
    const unsigned slot = state >> 26;
    const size_t size = (state >> 8) % 5000;
    blocks[slot] = realloc(blocks[slot], size + 1);
    if (blocks[slot] == NULL) abort();
    memset(blocks[slot], (int)slot, size + 1);
  }
  for (int i = 0; i < 64; ++i) free(blocks[i]);
  return NULL;
}

// The file that each name of the list is found in; lines with # are comments.
static int PrintOrigins(const char* names) {
  FILE* const list = fopen(names, "r");
  if (list == NULL) return 1;
  char name[200];
  while (fgets(name, sizeof(name), list) != NULL) {
    name[strcspn(name, "\n")] = '\0';
    if (name[0] == '#' || name[0] == '\0') continue;
    Dl_info info;
    void* const function = dlsym(RTLD_DEFAULT, name);
    if (function == NULL || dladdr(function, &info) == 0) {
      printf("%s nowhere\n", name);
      continue;
    }
    const char* const slash = strrchr(info.dli_fname, '/');
    printf("%s %s\n", name, slash != NULL ? slash + 1 : "?");
  }
  return fclose(list);
}

int main(int argc, char** argv) {
  if (argc < 2 || PrintOrigins(argv[1]) != 0) return 1;
  printf("same address: %d\n", dlsym(RTLD_DEFAULT, "malloc") ==
                                   dlsym(RTLD_DEFAULT, "libalcove_malloc"));

  pthread_t threads[4];
  for (size_t i = 0; i < 4; ++i) {
    if (pthread_create(&threads[i], NULL, Churn, (void*)(i + 1)) != 0) return 1;
  }
  for (size_t i = 0; i < 4; ++i) pthread_join(threads[i], NULL);

  if (argc < 3) return 0;
  // RTLD_LOCAL, as interpreters load their extensions: out of the scope in
  // which the preloaded library's own references were resolved.
  void* const plugin = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) {
    printf("dlopen: %s\n", dlerror());
    return 1;
  }
  int (*const run_out)(void) = (int (*)(void))dlsym(plugin, "RunOut");
  printf("plugin: %d\n", run_out());
  return dlclose(plugin);
}
