// No two live blocks overlap, in whatever arenas they are: eight threads that
// exchange blocks of the main heap and of arenas of both modes, one of which
// is reset or destroyed every now and then, with the threads' caches full of
// its blocks.
//
// Brief by default; the environment variables of overlap.h make it longer.
#include <pthread.h>

#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/market.h"
#include "tests/contract/overlap.h"

namespace contract {
namespace {

using ArenaOverlapTest = ContractTest;

constexpr int kThreads = 8;
constexpr uint64_t kStepsOfAPhase = 250;

// Arenas of which one ends at the end of each phase. The second is a child of
// the first.
class Arenas {
 public:
  Arenas() {
    for (size_t i = 0; i < arenas_.size(); ++i) Create(i);
  }
  ~Arenas() {
    for (subject::Arena* const arena : arenas_) {
      if (arena != arenas_[1]) subject::arena_destroy(arena);
    }
  }

  // The main heap, and all arenas: monotonic ones, which only grow, less often.
  std::vector<subject::Arena*> Heaps() const {
    std::vector<subject::Arena*> heaps = {nullptr};
    for (size_t i = 0; i < arenas_.size(); ++i) {
      heaps.push_back(arenas_[i]);
      if (Mode(i) == subject::kGeneral) heaps.push_back(arenas_[i]);
    }
    return heaps;
  }
  const std::array<subject::Arena*, 6>& all() const { return arenas_; }

  // Those that end after this phase.
  std::vector<subject::Arena*> Ending(uint64_t phase) const {
    const size_t i = phase % arenas_.size();
    if (i == 0) return {arenas_[0], arenas_[1]};
    return {arenas_[i]};
  }
  void End(uint64_t phase) {
    const size_t i = phase % arenas_.size();
    if (phase / arenas_.size() % 2 == 0) {
      subject::arena_destroy(arenas_[i]);
      Create(i);
    } else {
      subject::arena_reset(arenas_[i]);
    }
    if (i == 0) Create(1);
  }

 private:
  static uint32_t Mode(size_t i) {
    return i % 3 == 2 ? subject::kMonotonic : subject::kGeneral;
  }
  void Create(size_t i) {
    subject::ArenaOptions options = Options(Mode(i));
    if (i == 1) options.parent = arenas_[0];
    if (i >= 3) options.alignment = size_t{16} << i;
    if (i == 4) options.reserve = 4 * kMiB;
    arenas_[i] = subject::arena_create(&options);
  }

  std::array<subject::Arena*, 6> arenas_ = {};
};

class Barrier {
 public:
  Barrier() { pthread_barrier_init(&barrier_, nullptr, kThreads); }
  ~Barrier() { pthread_barrier_destroy(&barrier_); }
  void Wait() { pthread_barrier_wait(&barrier_); }

 private:
  pthread_barrier_t barrier_;
};

// At rest the counts are exact, and the visited blocks are those that live.
std::string CompareCounts(subject::Arena* arena,
                          const std::vector<OverlapWorker>& workers) {
  std::set<void*> expected;
  size_t bytes = 0;
  for (const OverlapWorker& worker : workers) {
    for (const Filled& block : worker.blocks()) {
      if (block.arena != arena) continue;
      expected.insert(block.address);
      bytes += subject::malloc_usable_size(block.address);
    }
  }
  std::set<void*> visited;
  subject::arena_visit_blocks(
      arena,
      [](void* block, size_t, void* set) {
        static_cast<std::set<void*>*>(set)->insert(block);
      },
      &visited);
  const subject::ArenaStats stats = StatsOf(arena);
  if (stats.blocks_live != expected.size() || stats.bytes_live != bytes) {
    return "arena_stats says " + std::to_string(stats.blocks_live) +
           " blocks of " + std::to_string(stats.bytes_live) + " bytes for " +
           std::to_string(expected.size()) + " of " + std::to_string(bytes);
  }
  return visited == expected ? "" : "other blocks were visited than live";
}

void RunRound(uint64_t seed, uint64_t operations) {
  Arenas arenas;
  Market market;
  Barrier barrier;
  std::vector<OverlapWorker> workers;
  for (int t = 0; t < kThreads; ++t)
    workers.emplace_back(seed * kThreads + t, 4 * kMiB);
  std::string miscounted;
  std::atomic<bool> failed = false;
  const uint64_t phases = operations / kStepsOfAPhase;
  const auto work = [&](int t, uint64_t first, uint64_t last) {
    OverlapWorker& worker = workers[t];
    for (uint64_t phase = first; phase < last; ++phase) {
      worker.WorkIn(arenas.Heaps());
      for (uint64_t i = 0; i < kStepsOfAPhase && !failed; ++i) {
        worker.Step();
        if (worker.Random() % 3 == 0) market.Exchange(worker);
        if (!worker.failure().empty()) failed = true;
      }
      barrier.Wait();
      const bool chief = t == static_cast<int>(phase % kThreads);
      if (chief) {
        market.Empty(worker);
        for (subject::Arena* const arena : arenas.all()) {
          if (miscounted.empty()) miscounted = CompareCounts(arena, workers);
        }
        if (!miscounted.empty()) failed = true;
      }
      barrier.Wait();
      for (subject::Arena* const arena : arenas.Ending(phase))
        worker.Forget(arena);
      barrier.Wait();
      if (chief) arenas.End(phase);
      barrier.Wait();
    }
  };
  // Two generations of threads: the second finds the caches that the first
  // left behind.
  for (const uint64_t generation : {0, 1}) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back(work, t, phases * generation / 2,
                           phases * (generation + 1) / 2);
    }
    for (std::thread& thread : threads) thread.join();
  }
  market.Empty(workers[0]);
  ASSERT_EQ(miscounted, "") << "with OVERLAP_SEED=" << seed;
  for (OverlapWorker& worker : workers) {
    worker.Finish();
    ASSERT_EQ(worker.failure(), "") << "with OVERLAP_SEED=" << seed;
  }
  for (subject::Arena* const arena : arenas.all()) {
    ASSERT_EQ(StatsOf(arena).blocks_live, 0u) << "with OVERLAP_SEED=" << seed;
  }
  ASSERT_EQ(GetStats().blocks_live, 0u) << "with OVERLAP_SEED=" << seed;
}

TEST_F(ArenaOverlapTest, EightThreadsSixArenas) {
  const OverlapOptions options(6000);
  const Clock clock(options);
  uint64_t seed = options.seed;
  do {
    RunRound(seed, options.operations);
    if (HasFatalFailure()) return;
    ++seed;
  } while (clock.More());
}

}  // namespace
}  // namespace contract
