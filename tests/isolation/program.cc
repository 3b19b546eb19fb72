// A program that works with an instance from several threads and ends with 0 if
// all was well; linked in every way there is.
#include <thread>
#include <vector>

#include "tests/isolation/left_heap.h"
#include "tests/isolation/workload.h"

int main() {
  const isolation::Functions functions = ISOLATION_FUNCTIONS(left_);
  bool good[4] = {};
  std::vector<std::thread> threads;
  for (bool& mine : good) {
    threads.emplace_back([&] { mine = isolation::RunWorkload(functions); });
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
