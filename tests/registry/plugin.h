/* What a shared object with an instance shows to the test that opens it. C, so
 * that it needs no library that another namespace would have to load, too. */
#ifndef TESTS_REGISTRY_PLUGIN_H_
#define TESTS_REGISTRY_PLUGIN_H_

#include <stddef.h>

struct registry_plugin {
  void* (*malloc)(size_t);
  void* (*realloc)(void*, size_t);
  void (*free)(void*);
  void (*free_sized)(void*, size_t);
  size_t (*usable_size)(const void*);
  int (*shutdown)(void);
};

#ifdef __cplusplus
extern "C" {
#endif

/* The name to look up. */
const struct registry_plugin* registry_plugin_functions(void);

#ifdef __cplusplus
}
#endif

#endif /* TESTS_REGISTRY_PLUGIN_H_ */
