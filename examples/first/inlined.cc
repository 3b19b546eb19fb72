#include <cstdio>
#include <list>

#include "examples/first/render_heap_inline.h"

namespace fast = render::inlined;

struct Node {
  explicit Node(int v) : value(v) {}
  int value;
  Node* next = nullptr;
};

int main() {
  fast::unique_ptr<Node> node = fast::make<Node>(1);
  std::list<int, fast::allocator<int>> list = {1, 2, 3};  // node by node
  void* buffer = fast::allocate<256>();  // null if there is no memory
  std::printf("%d %d %d\n", render_owns(node.get()), render_owns(&list.front()),
              render_owns(buffer));
  fast::deallocate<256>(buffer);  // a wrong block stops the process
}
