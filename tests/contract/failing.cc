#include "tests/contract/failing.h"

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iterator>
#include <thread>

#include "tests/contract/contract.h"
#include "tests/isolation/process.h"

namespace contract {

namespace {

constexpr size_t kMappingsMax = 4096;

// The mappings that are nobody's in particular; those of the stack and of
// malloc's heap grow as they like.
struct Ground {
  isolation::Mapping all[kMappingsMax];
  size_t count = 0;

  void Read() {
    const size_t read = isolation::ReadMappings(all, kMappingsMax);
    count = 0;
    for (size_t i = 0; i < read; ++i) {
      if (!all[i].has_name) all[count++] = all[i];
    }
  }
};

Ground g_before;
Ground g_after;

}  // namespace

subject::Stats CountNow() {
  subject::Stats stats = {};
  stats.struct_size = sizeof(stats);
  REQUIRE(subject::stats(&stats) == 0);
  return stats;
}

// libc keeps the stacks of threads that ended: the first ones are made here. Nor
// are threads to have parts of its heap to themselves.
void Begin() {
  REQUIRE(mallopt(M_ARENA_MAX, 1) == 1);
  std::atomic<int> ready = 0;
  std::thread threads[4];
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      ++ready;
      while (ready != static_cast<int>(std::size(threads))) usleep(100);
    });
  }
  for (std::thread& thread : threads) thread.join();
  subject::free(subject::malloc(1));  // it may have a thread, too
  REQUIRE(subject::shutdown() == 0);
  g_before.Read();
}

void Finish(Stock* one, Stock* other, size_t calls, bool leaves_nothing) {
  one->Verify();
  other->Verify();
  REQUIRE(CountNow().blocks_live == one->blocks() + other->blocks());
  REQUIRE(one->Work(calls) == 0);
  REQUIRE(other->Work(calls) == 0);
  one->Clear();
  other->Clear();
  subject::thread_detach();
  subject::purge();
  const subject::Stats stats = CountNow();
  REQUIRE(stats.blocks_live == 0);
  REQUIRE(stats.bytes_live == 0);
  REQUIRE(stats.arenas == 0);
  REQUIRE(stats.bytes_cached == 0);
  // What arenas leave behind may be kept out of use; and the instance's own
  // thread may be at work.
  if (Config().at("arena_quarantine") == "0" && !IsOn("background_purge")) {
    REQUIRE(stats.bytes_spans == 0);
    REQUIRE(stats.bytes_dirty == 0);
  }
  REQUIRE(subject::shutdown() == 0);
  REQUIRE(CountNow().bytes_reserved == 0);
  if (!leaves_nothing) return;
  g_after.Read();
  for (size_t i = 0; i < g_after.count; ++i) {
    if (i < g_before.count && g_after.all[i] == g_before.all[i]) continue;
    dprintf(STDERR_FILENO, "left: %zx-%zx\n", g_after.all[i].begin,
            g_after.all[i].end);
    REQUIRE(false);
  }
  REQUIRE(g_after.count == g_before.count);
}

void End(Stock* one, Stock* other, bool leaves_nothing) {
  Finish(one, other, kCalls, leaves_nothing);
  _exit(0);
}

}  // namespace contract
