// No two live blocks overlap, whatever a program does: one thread, and eight
// that exchange blocks, so that most are freed by another thread than the one
// that allocated them.
#include "tests/contract/overlap.h"

#include <atomic>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/contract/market.h"
#include "tests/isolation/process.h"

namespace contract {
namespace {

class OverlapTest : public ContractTest {
 protected:
  void TearDown() override {
    const subject::Stats had = GetStats();
    EXPECT_EQ(had.blocks_live, 0u);
    EXPECT_EQ(had.bytes_live, 0u);
    const size_t before = isolation::AddressSpace();
    ASSERT_EQ(subject::shutdown(), 0);
    EXPECT_EQ(before - isolation::AddressSpace(),
              had.bytes_reserved + had.bytes_metadata);
  }
};

TEST_F(OverlapTest, OneThread) {
  const OverlapOptions options(200000);
  const Clock clock(options);
  uint64_t seed = options.seed;
  do {
    OverlapWorker worker(seed, 24 * kMiB);
    for (uint64_t i = 0; i < options.operations && worker.failure().empty();
         ++i)
      worker.Step();
    worker.Finish();
    ASSERT_EQ(worker.failure(), "") << "with OVERLAP_SEED=" << seed;
    ASSERT_EQ(GetStats().blocks_live, 0u) << "with OVERLAP_SEED=" << seed;
    ++seed;
  } while (clock.More());
}

TEST_F(OverlapTest, EightThreads) {
  constexpr int kThreads = 8;
  const OverlapOptions options(25000);
  const Clock clock(options);
  uint64_t seed = options.seed;
  do {
    Market market;
    std::vector<OverlapWorker> workers;
    for (int t = 0; t < kThreads; ++t)
      workers.emplace_back(seed * kThreads + t, 5 * kMiB);
    // Two generations of threads: the second finds the heaps that the first
    // left behind.
    for (int generation = 0; generation < 2; ++generation) {
      std::atomic<bool> failed = false;
      std::vector<std::thread> threads;
      for (OverlapWorker& worker : workers) {
        threads.emplace_back([&] {
          for (uint64_t i = 0; i < options.operations / 2 && !failed; ++i) {
            worker.Step();
            if (worker.Random() % 3 == 0) market.Exchange(worker);
            if (!worker.failure().empty()) failed = true;
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
    market.Empty(workers[0]);
    for (OverlapWorker& worker : workers) {
      worker.Finish();
      ASSERT_EQ(worker.failure(), "") << "with OVERLAP_SEED=" << seed;
    }
    ASSERT_EQ(GetStats().blocks_live, 0u) << "with OVERLAP_SEED=" << seed;
    ++seed;
  } while (clock.More());
}

}  // namespace
}  // namespace contract
