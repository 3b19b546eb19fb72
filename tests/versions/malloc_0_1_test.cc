// A program whose malloc and operator new are release 0.1.0.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tests/versions/malloc_0_1_heap.h"

int main() {
  void* block = std::malloc(100);
  const bool mallocs = first_owns(block) != 0;
  std::free(block);
  const auto number = std::make_unique<int>(7);
  const bool news = first_owns(number.get()) != 0;
  std::printf("version %s, malloc %d, new %d\n", first_version(), mallocs,
              news);
  return std::strcmp(first_version(), "0.1.0") == 0 && mallocs && news ? 0 : 1;
}
