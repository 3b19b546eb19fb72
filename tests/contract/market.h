// What the random tests share: where threads leave blocks for each other, and
// the time there is.
#ifndef TESTS_CONTRACT_MARKET_H_
#define TESTS_CONTRACT_MARKET_H_

#include <array>
#include <chrono>
#include <mutex>
#include <utility>

#include "tests/contract/overlap.h"

namespace contract {

class Market {
 public:
  void Exchange(OverlapWorker& worker) {
    Stall& stall = stalls_[worker.Random() % stalls_.size()];
    const Filled given = worker.Give();
    const std::unique_lock lock(stall.mutex);
    const Filled received = std::exchange(stall.block, given);
    worker.Receive(received);
  }
  void Empty(OverlapWorker& worker) {
    for (Stall& stall : stalls_)
      worker.Receive(std::exchange(stall.block, Filled()));
  }

 private:
  struct Stall {
    std::mutex mutex;
    Filled block;
  };
  std::array<Stall, 64> stalls_;
};

// Whether there is time for another round after the first.
class Clock {
 public:
  explicit Clock(const OverlapOptions& options) : options_(options) {}
  bool More() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() -
                                         begin_)
               .count() < options_.seconds;
  }

 private:
  const OverlapOptions& options_;
  const std::chrono::steady_clock::time_point begin_ =
      std::chrono::steady_clock::now();
};

}  // namespace contract

#endif  // TESTS_CONTRACT_MARKET_H_
