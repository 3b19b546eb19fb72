#include <cstdio>
#include <memory_resource>
#include <new>
#include <string>
#include <vector>

#include "examples/first/render_heap.h"

using Names = std::pmr::vector<std::pmr::string>;

int main() {
  bool refused = false;
  {
    render::arena frame({.name = "frame", .hard_quota = 1 << 20});  // 1 MiB
    auto* names = frame.make<Names>(frame.resource());  // vector and strings
    try {
      while (true) names->emplace_back("too long to be kept in the vector");
    } catch (const std::bad_alloc&) {  // the quota's; others do not notice
      refused = render_arena_of(names) == frame.handle();
    }
  }  // the arena goes as a whole: no destructor, no free
  render_thread_detach();
  render_purge();  // nor does memory stay warm for the next one
  render_stats_t left = {};
  left.struct_size = sizeof(left);
  render_stats(&left);
  std::printf("%d %zu %zu\n", refused, left.arenas, left.bytes_spans);
}
