#include <cstdio>
#include <memory_resource>
#include <string>
#include <vector>

#include "examples/first/render_heap.h"

int main() {
  void* block = render_malloc(100);  // C: the malloc family, with your prefix
  std::vector<int, render::allocator<int>> numbers(1000);  // C++
  std::pmr::string name("a string in the heap of its own", render::resource());
  std::printf("%d %d %d\n", render_owns(block), render_owns(numbers.data()),
              render_owns(&block));
  render_free(block);
}
