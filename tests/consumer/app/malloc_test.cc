// A program whose malloc is an instance, and the same as a shared object.
#include <dlfcn.h>
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "app/heaps/table_malloc_heap.h"

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const std::string text(1000, 't');
  void* const block = malloc(100);
  const bool ours = table_owns(block) && table_owns(text.data()) &&
                    mallinfo2().uordblks >= 1100;
  free(block);
  void* const library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) std::printf("%s\n", dlerror());
  const bool there = library != nullptr && dlsym(library, "malloc_trim");
  std::printf("%d %d\n", ours, there);
  return ours && there ? 0 : 1;
}
