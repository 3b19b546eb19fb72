// Eight threads use all twelve instances and jemalloc at once, and pass what
// they allocate to each other.
//
//   COEXISTENCE_SEED   another course; failures name theirs
//   COEXISTENCE_STEPS  of each thread and round; 6,000 by default
#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "registry/registry.h"
#include "tests/coexistence/heaps.h"
#include "tests/coexistence/worker.h"

namespace coexistence {
namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 5;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

using Entries = std::array<alcove_instance_entry, kHeaps>;

bool IsOf(const alcove_instance_entry& entry, const Heap& heap) {
  return entry.prefix == std::string(heap.prefix) &&
         entry.version == std::string(heap.version) &&
         entry.label == std::string(heap.label);
}

// Where threads leave blocks for others.
class Market {
 public:
  void Exchange(Worker& worker) {
    Stall& stall = stalls_[worker.Random() % stalls_.size()];
    Block block = worker.Give();
    {
      const std::lock_guard lock(stall.mutex);
      std::swap(block, stall.block);
    }
    worker.Receive(block);
  }
  void Close(Worker& worker) {
    for (Stall& stall : stalls_)
      worker.Receive(std::exchange(stall.block, Block()));
  }

 private:
  struct Stall {
    std::mutex mutex;
    Block block;
  };
  std::array<Stall, 64> stalls_;
};

// All blocks that live while all threads stand still.
std::vector<Block> Gather(const std::vector<std::unique_ptr<Worker>>& workers) {
  std::vector<Block> all;
  for (const auto& worker : workers)
    all.insert(all.end(), worker->blocks().begin(), worker->blocks().end());
  std::sort(all.begin(), all.end(), [](const Block& a, const Block& b) {
    return a.address < b.address;
  });
  return all;
}

void ExpectDisjoint(const std::vector<Block>& sorted) {
  for (size_t i = 1; i < sorted.size(); ++i) {
    ASSERT_LE(static_cast<char*>(sorted[i - 1].address) + sorted[i - 1].size,
              sorted[i].address);
  }
}

// What the instances say of themselves is what the registry says of them.
void ExpectRegistryAgrees(const std::vector<Block>& blocks,
                          const Entries& entries) {
  std::array<int, kHeaps + 1> asked = {};
  for (const Block& block : blocks) {
    size_t index = kHeaps;
    const int found = alcove_registry_owner_among(
        entries.data(), entries.size(), block.address, &index);
    ASSERT_EQ(found, block.heap != nullptr);
    if (found == 1) {
      ASSERT_TRUE(IsOf(entries[index], *block.heap)) << block.heap->prefix;
    }
    // The same question about all that is loaded costs ten times as much.
    const size_t which =
        block.heap == nullptr ? kHeaps : block.heap - Heaps().data();
    if (++asked[which] > 8) continue;
    alcove_instance_entry owner;
    ASSERT_EQ(alcove_registry_owner_of(block.address, &owner), found);
    if (found == 1) {
      ASSERT_TRUE(IsOf(owner, *block.heap)) << block.heap->prefix;
    }
  }
  for (const int count : asked) EXPECT_GT(count, 0);
}

TEST(CrowdTest, MallocIsJemalloc) { EXPECT_TRUE(MallocIsJemalloc()); }

TEST(CrowdTest, TheRegistryListsAllTwelve) {
  Entries entries;
  ASSERT_EQ(alcove_registry_list(entries.data(), kHeaps), long{kHeaps});
  for (const Heap& heap : Heaps()) {
    EXPECT_STREQ(heap.says_version(), heap.version);
    EXPECT_EQ(std::count_if(entries.begin(), entries.end(),
                            [&](const auto& entry) {
                              return IsOf(entry, heap) &&
                                     entry.status == ALCOVE_INSTANCE_KNOWN;
                            }),
              1)
        << heap.prefix;
  }
}

TEST(CrowdTest, EveryBlockHasOneOwnerAtEveryMoment) {
  const uint64_t seed = FromEnvironment("COEXISTENCE_SEED", 1);
  const uint64_t steps = FromEnvironment("COEXISTENCE_STEPS", 6000);
  std::printf("COEXISTENCE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Entries entries;
  ASSERT_EQ(alcove_registry_list(entries.data(), kHeaps), long{kHeaps});

  const auto begin = std::chrono::steady_clock::now();
  Market market;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int t = 0; t < kThreads; ++t)
    workers.push_back(std::make_unique<Worker>(seed * 1000 + t));
  size_t most = 0;
  // While one looks, the others wait, at the end of each round.
  std::barrier round(kThreads, [&]() noexcept {
    const std::vector<Block> blocks = Gather(workers);
    ExpectDisjoint(blocks);
    ExpectRegistryAgrees(blocks, entries);
    most = std::max(most, blocks.size());
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Worker& worker = *workers[t];
      for (int r = 0; r < kRounds; ++r) {
        for (uint64_t i = 0; i < steps && worker.failure().empty(); ++i) {
          worker.Step();
          if (i % 4 == 0) market.Exchange(worker);
        }
        round.arrive_and_wait();
      }
      if (t % 2 == 0) worker.Finish();  // the others leave theirs to the caller
      // An instance that is not told of a thread's end asks for its id later, and
      // on a busy machine another process may have that by then.
      for (const Heap& heap : Heaps()) {
        if (!heap.IsHosted()) heap.thread_detach();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  market.Close(*workers[0]);
  uint64_t allocated = 0;
  for (const auto& worker : workers) {
    worker->Finish();
    EXPECT_EQ(worker->failure(), "");
    allocated += worker->allocated();
  }
  for (const Heap& heap : Heaps()) EXPECT_EQ(heap.shutdown(), 0) << heap.prefix;
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  std::printf(
      "%d threads, %zu instances and malloc: %llu blocks, up to %zu at a look, "
      "%.2f s\n",
      kThreads, kHeaps, static_cast<unsigned long long>(allocated), most,
      seconds.count());
}

}  // namespace
}  // namespace coexistence
