#include <cstdio>

#include "examples/first/render_heap.h"

int main() {
  // Many blocks at once, and many calls with one look at the thread's cache.
  void* blocks[100];
  const size_t got = render_malloc_batch(48, 100, blocks);
  render_free_batch(blocks, got);
  {
    render::pinned heap;
    for (int i = 0; i < 1000; ++i) heap.deallocate(heap.allocate(48));
  }

  // Aligned to anything: rows of 24 bytes that no line of 72 splits.
  void* rows = render_alloc_at_multiple(72, 3 * 24);

  // As much as can be had without moving, 2 MiB at least; and back to what is used.
  void* buffer = render_malloc(1 << 20);
  const size_t grown = render_try_realloc_in_place(buffer, 2 << 20, 8 << 20);
  const size_t kept = render_try_realloc_in_place(buffer, 0, 3 << 18);

  // The middle of it is wanted no more: its units go to the system, the rest of it
  // to others; what is before and behind are two blocks from here on.
  char* const bytes = static_cast<char*>(buffer);
  const bool noted = render_free_range(bytes + 1000, 500'000) == 0;

  std::printf("%zu %d %d %d %d %zu\n", got,
              reinterpret_cast<uintptr_t>(rows) % 72 == 0, grown >= 2 << 20,
              kept == 3 << 18, noted, render_malloc_usable_size(buffer));
  render_free(rows);
  render_free(buffer);
  render_free(bytes + 501'000);
}
