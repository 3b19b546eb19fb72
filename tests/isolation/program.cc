// A program that works with an instance from several threads and ends with 0 if
// all was well, calls and what is inlined; linked in every way there is.
#include <thread>
#include <vector>

#include "tests/isolation/inlined_work.h"
#include "tests/isolation/left_heap_inline.h"
#include "tests/isolation/workload.h"

ISOLATION_INLINED(Left, left, left_);

int main() {
  const isolation::Functions functions = ISOLATION_FUNCTIONS(left_);
  bool good[4] = {};
  std::vector<std::thread> threads;
  for (bool& mine : good) {
    threads.emplace_back([&] {
      mine = isolation::RunWorkload(functions) &&
             isolation::RunInlinedWork<Left>();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool mine : good) {
    if (!mine) return 1;
  }
  left_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  if (left_stats(&stats) != 0 || stats.blocks_live != 0) return 2;
  return left_shutdown() == 0 ? 0 : 3;
}
