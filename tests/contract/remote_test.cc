// Blocks that other threads free come home, every one: when all is freed and no
// thread has a cache, no span is left in use. (The counts of live blocks would
// not show a free that got lost on its way.)
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using RemoteTest = ContractTest;
using Batch = std::vector<void*>;

// A bounded queue; an empty batch is the end.
class Queue {
 public:
  void Put(Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return batches_.size() < 8; });
    batches_.push_back(std::move(batch));
    changed_.notify_all();
  }
  Batch Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !batches_.empty(); });
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    changed_.notify_all();
    return batch;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> batches_;
};

void ExpectNothingInUse() {
  const subject::Stats stats = GetStats();
  EXPECT_EQ(stats.blocks_live, 0u);
  EXPECT_EQ(stats.bytes_cached, 0u);
  EXPECT_EQ(stats.bytes_spans, 0u);
  EXPECT_EQ(stats.threads, 0u);
}

// Neighbours go to different threads, which free them at the same time, while
// the owner takes back what they freed.
TEST_F(RemoteTest, OneAllocatesManyFree) {
  constexpr int kThreads = 3;
  constexpr int kBatches = 3000;
  Queue queues[kThreads];
  std::vector<std::thread> threads;
  for (Queue& queue : queues) {
    threads.emplace_back([&queue] {
      for (Batch batch = queue.Take(); !batch.empty(); batch = queue.Take()) {
        for (void* const block : batch) subject::free(block);
      }
      subject::thread_detach();
    });
  }
  std::mt19937 random(1);
  for (int i = 0; i < kBatches; ++i) {
    Batch batches[kThreads];
    const size_t size = size_t{16} << random() % 4;
    for (int n = 0; n < 150 * kThreads; ++n) {
      batches[n % kThreads].push_back(subject::malloc(size));
    }
    for (int t = 0; t < kThreads; ++t) queues[t].Put(std::move(batches[t]));
  }
  for (Queue& queue : queues) queue.Put({});
  for (std::thread& thread : threads) thread.join();
  subject::thread_detach();
  ExpectNothingInUse();
}

// Each gets the next one's blocks: every heap is owner and freer at once.
TEST_F(RemoteTest, ARing) {
  constexpr int kThreads = 4;
  Queue queues[kThreads];
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&queues, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 1000; ++i) {
        Batch batch;
        for (int n = 0; n < 200; ++n) {
          batch.push_back(subject::malloc(random() % 2000));
        }
        queues[(t + 1) % kThreads].Put(std::move(batch));
        for (void* const block : queues[t].Take()) subject::free(block);
      }
      subject::thread_detach();
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Mail may have come for heaps whose threads were gone: their next owners
  // take it in, and there are as many at once as there were.
  threads.clear();
  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      subject::free(subject::malloc(1));
      std::unique_lock lock(mutex);
      ++begun;
      changed.notify_all();
      changed.wait(lock, [&] { return begun == kThreads; });
      lock.unlock();
      subject::thread_detach();
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectNothingInUse();
}

}  // namespace
}  // namespace contract
