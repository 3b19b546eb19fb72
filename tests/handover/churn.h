// Threads that use a handover all the time: every block has contents of its own,
// which are checked before it is resized or freed, often by another thread than
// the one that it is from. No block lives for longer than some hundred steps of
// its thread.
#ifndef TESTS_HANDOVER_CHURN_H_
#define TESTS_HANDOVER_CHURN_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "handover/handover.h"

namespace handover_tests {

// HANDOVER_SEED=<n>, or one that is always the same.
uint64_t Seed();

class Churn {
 public:
  Churn(alcove::Handover* handover, int threads, uint64_t seed);
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;
  // Stops.
  ~Churn();

  // Frees all blocks and ends the threads.
  void Stop();
  // Whether every block had its contents, and there was always memory.
  bool good() const { return good_; }
  uint64_t steps() const { return steps_; }

 private:
  struct Block {
    void* memory = nullptr;
    size_t size = 0;
    uint32_t mark = 0;
  };
  static constexpr size_t kOwn = 32;
  static constexpr size_t kShared = 64;
  using Random = std::minstd_rand;

  void Live(uint64_t seed);
  Block Make(Random* random);
  void Change(Block* block, Random* random);
  void End(Block* block);
  void Check(bool good, const char* what);

  alcove::Handover* const handover_;
  std::atomic<bool> done_{false};
  std::atomic<bool> good_{true};
  std::atomic<uint64_t> steps_{0};
  std::atomic<uint64_t> turn_{0};
  // Blocks that go from thread to thread.
  std::atomic<Block*> shared_[kShared] = {};
  std::vector<std::thread> threads_;
};

}  // namespace handover_tests

#endif  // TESTS_HANDOVER_CHURN_H_
