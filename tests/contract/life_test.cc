// purge, thread_detach, shutdown, version and config.
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/isolation/process.h"

namespace contract {
namespace {

using isolation::AddressSpace;
using isolation::CountMappings;
using isolation::ResidentBytes;
using LifeTest = ContractTest;

TEST_F(LifeTest, PurgeReturnsMemory) {
  for (const size_t size : {size_t{100}, 40 * kKiB, 200 * kKiB, 4 * kMiB}) {
    const size_t before = ResidentBytes();
    std::vector<void*> blocks;
    for (size_t bytes = 0; bytes < 64 * kMiB; bytes += size) {
      blocks.push_back(subject::malloc(size));
      ASSERT_NE(blocks.back(), nullptr);
      Fill(blocks.back(), size, 1);
    }
    ASSERT_GT(ResidentBytes(), before + 60 * kMiB);
    for (void* const block : blocks) subject::free(block);
    subject::thread_detach();
    const size_t dirty = GetStats().bytes_dirty;
    const size_t purged = subject::purge();
    // The instance's own thread may have been faster.
    EXPECT_LE(purged, dirty);
    if (!IsOn("background_purge")) {
      EXPECT_EQ(purged, dirty);
    }
    // Or it has a part of it in work.
    for (int i = 0; IsOn("background_purge") && i < 5000; ++i) {
      if (GetStats().bytes_dirty == 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(GetStats().bytes_dirty, 0u);
    EXPECT_EQ(GetStats().bytes_spans, 0u);
    // What is left is metadata, and the test's own vector.
    EXPECT_LT(ResidentBytes(), before + 8 * kMiB) << size;
    EXPECT_EQ(subject::purge(), 0u);
  }
}

TEST_F(LifeTest, PurgeKeepsWhatLives) {
  std::vector<void*> blocks;
  for (const size_t size : kSizesOfAllKinds) {
    blocks.push_back(subject::malloc(size));
    Fill(blocks.back(), size, size);
    void* const freed = subject::malloc(size);
    Fill(freed, size, 1);
    subject::free(freed);
  }
  subject::purge();
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_TRUE(Holds(blocks[i], kSizesOfAllKinds[i], kSizesOfAllKinds[i]));
    subject::free(blocks[i]);
  }
}

TEST_F(LifeTest, ThreadDetachEmptiesTheCache) {
  std::vector<void*> blocks;
  for (const size_t size : kSizesOfAllKinds)
    blocks.push_back(subject::malloc(size));
  for (void* const block : blocks) subject::free(block);
  subject::thread_detach();
  EXPECT_EQ(GetStats().bytes_cached, 0u);
  EXPECT_EQ(GetStats().threads, 0u);
  subject::thread_detach();
  // The thread may come back.
  subject::free(subject::malloc(8));
  EXPECT_EQ(GetStats().threads, 1u);
}

// Threads without end that all find a heap handed back: no more heaps than
// threads at once.
TEST_F(LifeTest, ManyThreadsOneAfterTheOther) {
  void* const kept = subject::malloc(8);
  std::thread([] { subject::free(subject::malloc(100)); }).join();
  const size_t metadata = GetStats().bytes_metadata;
  for (int i = 0; i < 300; ++i) {
    std::thread([] {
      void* const block = subject::malloc(100);
      Fill(block, 100, 1);
      subject::free(block);
    }).join();
  }
  EXPECT_EQ(GetStats().bytes_metadata, metadata);
  subject::free(kept);
}

TEST_F(LifeTest, ShutdownUnmapsEverything) {
  std::vector<void*> blocks;
  for (const size_t size : kSizesOfAllKinds)
    blocks.push_back(subject::malloc(size));
  std::thread([] { subject::malloc(100); }).join();
  const subject::Stats had = GetStats();
  ASSERT_GT(CountMappings(had.address_low, had.address_high), 0u);
  const size_t before = AddressSpace();
  ASSERT_EQ(subject::shutdown(), 0) << "live blocks are no reason to refuse";
  EXPECT_EQ(before - AddressSpace(), had.bytes_reserved + had.bytes_metadata);
  // Ranges of other programs' memory may lie between several of ours, but not
  // in the first.
  if (had.bytes_reserved == had.address_high - had.address_low) {
    EXPECT_EQ(CountMappings(had.address_low, had.address_high), 0u);
  }
  for (void* const block : blocks) EXPECT_EQ(subject::owns(block), 0);
}

TEST_F(LifeTest, AThousandLivesLeaveNothing) {
  const auto live_once = [] {
    std::vector<void*> blocks;
    for (const size_t size : kSizesOfAllKinds)
      blocks.push_back(subject::calloc(1, size));
    for (size_t i = 0; i < blocks.size(); i += 2) subject::free(blocks[i]);
    ASSERT_EQ(subject::shutdown(), 0);
  };
  live_once();
  const size_t mappings = CountMappings(0, UINTPTR_MAX);
  const size_t address_space = AddressSpace();
  for (int i = 0; i < 1000; ++i) live_once();
  EXPECT_EQ(AddressSpace(), address_space);
  EXPECT_EQ(CountMappings(0, UINTPTR_MAX), mappings);
}

// A thread that does what it is told and stays alive until the object goes.
class Helper {
 public:
  Helper() : thread_([this] { Serve(); }) {}
  ~Helper() {
    Do(nullptr);
    thread_.join();
  }
  void Do(void (*task)()) {
    std::unique_lock lock(mutex_);
    task_ = task;
    busy_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !busy_; });
  }

 private:
  void Serve() {
    for (bool more = true; more;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return busy_; });
      more = task_ != nullptr;
      if (more) task_();
      busy_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  void (*task_)() = nullptr;
  bool busy_ = false;
  std::thread thread_;
};

TEST_F(LifeTest, ShutdownWaitsForNobodyAndRefuses) {
  Helper helper;
  helper.Do([] { subject::free(subject::malloc(100)); });
  void* const block = subject::malloc(100);
  Fill(block, 100, 9);
  EXPECT_EQ(subject::shutdown(), EBUSY);
  EXPECT_TRUE(Holds(block, 100, 9)) << "a refusal changes nothing";
  EXPECT_EQ(GetStats().blocks_live, 1u);
  helper.Do([] { subject::thread_detach(); });
  EXPECT_EQ(subject::shutdown(), 0);
  // Both threads begin anew.
  helper.Do([] { subject::free(subject::malloc(100)); });
  subject::free(subject::malloc(100));
  EXPECT_EQ(subject::shutdown(), EBUSY);
  helper.Do([] { subject::thread_detach(); });
}

TEST_F(LifeTest, ShutdownByAThreadThatHasNoCache) {
  std::thread([] { subject::malloc(100); }).join();
  EXPECT_EQ(subject::shutdown(), 0);
  EXPECT_EQ(GetStats().bytes_reserved, 0u);
}

// The end of a thread gives its cache to the next, at the latest when that one
// asks.
TEST_F(LifeTest, EndedThreadsAreNoReasonToRefuse) {
  for (int i = 0; i < 20; ++i) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([] { subject::free(subject::malloc(100)); });
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(subject::shutdown(), 0);
  }
}

TEST_F(LifeTest, Version) {
  const std::string version = subject::version();
  EXPECT_EQ(version.find_first_not_of("0123456789."), std::string::npos)
      << version;
  EXPECT_NE(version.find('.'), std::string::npos);
  EXPECT_EQ(subject::version(), subject::version()) << "one static string";
}

TEST_F(LifeTest, ConfigNamesEveryKnob) {
  const auto config = Config();
  EXPECT_EQ(config.at("prefix"), '"' + std::string(subject::prefix) + '"');
  EXPECT_EQ(config.at("version"), '"' + std::string(subject::version()) + '"');
  for (const char* knob :
       {"region_reserve_mib", "region_growth_percent", "sbrk_reserve_mib",
        "commit_chunk_kib",   "purge_delay_ms",        "purge_dirty_max_mib",
        "background_purge",   "cache_bytes_per_class", "cache_blocks_per_class",
        "cache_span_kib",     "huge_pages_from_mib",   "zero_on_free",
        "system_memory",      "thread_exit",           "log_level",
        "set_errno",          "async_signal_safe",     "check_invariants",
        "canaries",           "guard_pages",           "random_placement",
        "reuse_delay",        "check_freed",           "backtrace_frames",
        "leak_report"}) {
    EXPECT_EQ(config.count(knob), 1u) << knob;
  }
}

}  // namespace
}  // namespace contract
