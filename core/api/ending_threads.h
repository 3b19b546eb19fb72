// How many threads of a process are in the destructor of its instance's pthread key.
//
// One word: the number, and above it a mark of the process that it is of. Those that
// were there when this process was forked never come out of it here, but for the one
// that forked, in a signal handler or the log's function: so who leaves says of which
// process it was when it came, and is not counted out of another one's.
#ifndef ALCOVE_CORE_API_ENDING_THREADS_H_
#define ALCOVE_CORE_API_ENDING_THREADS_H_

#include "core/base/atomic.h"
#include "core/base/fork_generation.h"

namespace ALCOVE_CORE_NAMESPACE {

class EndingThreads {
 public:
  constexpr EndingThreads() = default;

  // What `process` is called here. Of two with the same mark, one in 2^32, one waits
  // for the other's threads.
  static constexpr uint32_t MarkOf(Process process) {
    constexpr uint64_t kSpread = 0x9e3779b1;  // odd: no two generations alike
    return static_cast<uint32_t>(process + (process >> 32) * kSpread);
  }

  void Enter(uint32_t mark) {
    uint64_t before = word_.Load(Order::kRelaxed);
    uint64_t after;
    do {
      after = MarkIn(before) == mark ? before + 1 : WordOf(mark) + 1;
    } while (!word_.CompareExchange(before, after, Order::kSeqCst));
  }

  // `mark`: as when the thread entered.
  void Leave(uint32_t mark) {
    uint64_t before = word_.Load(Order::kRelaxed);
    do {
      if (MarkIn(before) != mark) return;
    } while (!word_.CompareExchange(before, before - 1, Order::kRelease));
  }

  // Whether no thread of that process is there.
  bool None(uint32_t mark) const {
    const uint64_t now = word_.Load(Order::kAcquire);
    return MarkIn(now) != mark || now == WordOf(mark);
  }

 private:
  static constexpr uint64_t WordOf(uint32_t mark) {
    return uint64_t{mark} << 32;
  }
  static constexpr uint32_t MarkIn(uint64_t word) {
    return static_cast<uint32_t>(word >> 32);
  }

  Atomic<uint64_t> word_;
};

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_API_ENDING_THREADS_H_
