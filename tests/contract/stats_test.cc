// Statistics are exact while nobody is inside a call.
#include <cerrno>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using StatsTest = ContractTest;

// Our own bookkeeping of what lives.
class Ledger {
 public:
  void Add(void* block) {
    blocks_.push_back(block);
    bytes_ += subject::malloc_usable_size(block);
  }
  void* Take(size_t i) {
    void* const block = blocks_[i];
    bytes_ -= subject::malloc_usable_size(block);
    blocks_[i] = blocks_.back();
    blocks_.pop_back();
    return block;
  }
  size_t blocks() const { return blocks_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  std::vector<void*> blocks_;
  size_t bytes_ = 0;
};

void ExpectLive(const Ledger& ledger) {
  const subject::Stats stats = GetStats();
  ASSERT_EQ(stats.blocks_live, ledger.blocks());
  ASSERT_EQ(stats.bytes_live, ledger.bytes());
  ASSERT_GE(stats.blocks_peak, stats.blocks_live);
  ASSERT_GE(stats.bytes_peak, stats.bytes_live);
  ASSERT_GE(stats.bytes_spans, stats.bytes_live + stats.bytes_cached);
  ASSERT_GE(stats.bytes_spans_peak, stats.bytes_spans);
  ASSERT_GE(stats.bytes_committed, stats.bytes_spans);
  ASSERT_GE(stats.bytes_reserved, stats.bytes_committed);
}

size_t RandomSize(std::mt19937& random) {
  return random() % 20 == 0 ? random() % (2 * kMiB) : random() % 3000;
}

TEST_F(StatsTest, AgreeWithBookkeepingAtEveryStep) {
  std::mt19937 random(1);
  Ledger ledger;
  for (int step = 0; step < 4000; ++step) {
    if (ledger.blocks() < 100 && random() % 2 == 0) {
      ledger.Add(subject::malloc(RandomSize(random)));
    } else if (ledger.blocks() != 0) {
      void* const block = ledger.Take(random() % ledger.blocks());
      if (random() % 4 == 0) {
        ledger.Add(subject::realloc(block, RandomSize(random) + 1));
      } else {
        subject::free(block);
      }
    }
    ExpectLive(ledger);
  }
  while (ledger.blocks() != 0) subject::free(ledger.Take(0));
  ExpectLive(ledger);
}

TEST_F(StatsTest, ExactAfterOtherThreadsFreed) {
  std::mt19937 random(2);
  Ledger ledger;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3000; ++i)
      ledger.Add(subject::malloc(RandomSize(random) / 8));
    std::vector<void*> theirs;
    while (ledger.blocks() > 500)
      theirs.push_back(ledger.Take(random() % ledger.blocks()));
    // With the thread alive, its cache full of our blocks; and after its end.
    std::thread([&] {
      for (void* const block : theirs) subject::free(block);
      ExpectLive(ledger);
    }).join();
    ExpectLive(ledger);
  }
  while (ledger.blocks() != 0) subject::free(ledger.Take(0));
  ExpectLive(ledger);
}

TEST_F(StatsTest, ExactAfterThreadsEndedWithBlocks) {
  Ledger ledger;
  for (int round = 0; round < 10; ++round) {
    std::thread([&ledger] {
      for (const size_t size : kSizesOfAllKinds)
        ledger.Add(subject::malloc(size));
    }).join();
    ExpectLive(ledger);
  }
  while (ledger.blocks() != 0) subject::free(ledger.Take(0));
  ExpectLive(ledger);
}

TEST_F(StatsTest, CountThreads) {
  EXPECT_EQ(GetStats().threads, 0u);
  void* const block = subject::malloc(8);
  EXPECT_EQ(GetStats().threads, 1u);
  std::thread([] {
    subject::free(subject::malloc(8));
    EXPECT_EQ(GetStats().threads, 2u);
    subject::thread_detach();
    EXPECT_EQ(GetStats().threads, 1u);
  }).join();
  subject::free(block);
}

TEST_F(StatsTest, PeaksAreThoseOfTheMostThatLived) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(subject::malloc(1024));
  for (void* const block : blocks) subject::free(block);
  const subject::Stats stats = GetStats();
  EXPECT_EQ(stats.blocks_live, 0u);
  EXPECT_GE(stats.bytes_peak, 1000 * kKiB - 64 * kKiB)
      << "may miss 64 KiB for each thread";
  EXPECT_LE(stats.bytes_peak, 1000 * kKiB + 64 * kKiB)
      << "a refill's worth more";
  EXPECT_GE(stats.bytes_spans_peak, 1000 * kKiB);
}

TEST_F(StatsTest, TakeALongerOrShorterStruct) {
  void* const block = subject::malloc(64);
  constexpr size_t kMembers = sizeof(subject::Stats) / sizeof(size_t);
  for (size_t members = 1; members <= kMembers + 4; ++members) {
    size_t words[kMembers + 4];
    std::memset(words, 0xAB, sizeof(words));
    words[0] = members * sizeof(size_t);
    EXPECT_EQ(subject::stats(reinterpret_cast<subject::Stats*>(words)), 0);
    EXPECT_EQ(words[0], members * sizeof(size_t))
        << "struct_size is the caller's";
    for (size_t i = 1; i < kMembers + 4; ++i) {
      if (i >= members || i >= kMembers) {
        EXPECT_EQ(words[i], 0xABABABABABABABAB)
            << i << " of " << members << " was written";
      }
    }
    EXPECT_TRUE(members < 2 || words[1] == 1);
  }
  subject::free(block);
}

TEST_F(StatsTest, RefuseWhatHasNoRoomForItsSize) {
  EXPECT_EQ(subject::stats(nullptr), EINVAL);
  for (size_t size = 0; size < sizeof(size_t); ++size) {
    subject::Stats stats;
    std::memset(&stats, 0xAB, sizeof(stats));
    stats.struct_size = size;
    EXPECT_EQ(subject::stats(&stats), EINVAL);
    EXPECT_EQ(stats.struct_size, size);
    EXPECT_EQ(stats.blocks_live, 0xABABABABABABABAB);
  }
}

TEST_F(StatsTest, BeforeTheFirstBlockAllIsZero) {
  const subject::Stats stats = GetStats();
  subject::Stats zero = {};
  zero.struct_size = sizeof(zero);
  EXPECT_EQ(std::memcmp(&stats, &zero, sizeof(zero)), 0);
}

}  // namespace
}  // namespace contract
