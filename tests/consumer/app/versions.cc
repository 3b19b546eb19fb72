// Prints the releases of four instances, each of which has to serve its own blocks alone.
#include <cstdio>

#include "app/heaps/breakfast_heap.h"
#include "app/heaps/brunch_heap.h"
#include "app/heaps/lunch_heap.h"
#include "app/heaps/supper_heap.h"

int main() {
  void* const blocks[] = {breakfast_malloc(100), brunch_malloc(100),
                          lunch_malloc(100), supper_malloc(100)};
  for (void* block : blocks) {
    const int owners = breakfast_owns(block) + brunch_owns(block) +
                       lunch_owns(block) + supper_owns(block);
    if (owners != 1) {
      std::fprintf(stderr, "versions: a block of %d instances\n", owners);
      return 1;
    }
  }
  breakfast_free(blocks[0]);
  brunch_free(blocks[1]);
  lunch_free(blocks[2]);
  supper_free(blocks[3]);
  std::printf("breakfast %s, brunch %s, lunch %s, supper %s\n",
              breakfast_version(), brunch_version(), lunch_version(),
              supper_version());
}
