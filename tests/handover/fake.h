// An instance that does what a test says: it counts, refuses, blocks its callers,
// and notices who calls it after its end.
#ifndef TESTS_HANDOVER_FAKE_H_
#define TESTS_HANDOVER_FAKE_H_

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "handover/functions.h"

namespace handover_tests {

// A number names each fake, since functions have no state of their own.
template <int kNumber>
class Fake {
 public:
  static constexpr size_t kBlockSize = 64;
  static constexpr size_t kBlocks = 1024;

  // What the statistics say; the test's to set.
  static inline std::atomic<size_t> blocks{0};
  static inline std::atomic<size_t> arenas{0};
  static inline std::atomic<int> count_error{0};
  static inline std::atomic<int> shutdown_error{0};
  // What happened.
  static inline std::atomic<int> mallocs{0};
  static inline std::atomic<int> frees{0};
  static inline std::atomic<int> detaches{0};
  static inline std::atomic<int> shutdowns{0};
  // As code that was unloaded: a call stops the process.
  static inline std::atomic<bool> is_gone{false};
  // While true, whoever calls malloc, free or owns is counted and waits.
  static inline std::atomic<bool> is_blocking{false};
  static inline std::atomic<int> blocked{0};
  // Whoever calls malloc, free or owns stays for so many turns of a loop.
  static inline std::atomic<int> stay{0};
  // Called at the beginning of count_live.
  static inline std::atomic<void (*)()> before_count{nullptr};

  static void Reset() {
    blocks = arenas = 0;
    count_error = shutdown_error = 0;
    mallocs = frees = detaches = shutdowns = 0;
    is_gone = is_blocking = false;
    blocked = 0;
    stay = 0;
    before_count = nullptr;
  }

  static bool Owns(const void* address) {
    const auto* const at = static_cast<const char*>(address);
    return at >= memory && at < memory + sizeof(memory);
  }
  static void* Block(size_t i) { return memory + i * kBlockSize; }

  static alcove::InstanceFunctions Functions() {
    return {
        sizeof(alcove::InstanceFunctions),
        [](size_t) {
          Enter();
          ++blocks;
          return Block(static_cast<size_t>(mallocs++) % kBlocks);
        },
        [](size_t, size_t) {
          Enter();
          ++blocks;
          return Block(static_cast<size_t>(mallocs++) % kBlocks);
        },
        [](void* block, size_t) {
          Enter();
          return block;
        },
        [](size_t, size_t) {
          Enter();
          ++blocks;
          return Block(static_cast<size_t>(mallocs++) % kBlocks);
        },
        [](void* block) {
          Enter();
          if (!Owns(block)) Stop("foreign");
          ++frees;
          --blocks;
        },
        [](const void*) {
          Enter();
          return kBlockSize;
        },
        [](const void* address) {
          Enter();
          return static_cast<int>(Owns(address));
        },
        [] {
          if (is_gone) Stop("gone");
          ++detaches;
        },
        [] {
          if (is_gone) Stop("gone");
          if (shutdown_error != 0) return shutdown_error.load();
          ++shutdowns;
          is_gone = true;
          return 0;
        },
        [] { return "fake"; },
        [](size_t* blocks_live, size_t* arenas_live) {
          if (is_gone) Stop("gone");
          if (auto* const before = before_count.load()) before();
          *blocks_live = blocks;
          *arenas_live = arenas;
          return count_error.load();
        },
        nullptr,
    };
  }

 private:
  [[noreturn]] static void Stop(const char* why) {
    std::fprintf(stderr, "fake %d: %s\n", kNumber, why);
    std::abort();
  }

  static void Enter() {
    if (is_gone.load(std::memory_order_relaxed)) Stop("gone");
    if (is_blocking.load(std::memory_order_relaxed)) {
      ++blocked;
      while (is_blocking) {
      }
      --blocked;
    }
    for (int i = stay.load(std::memory_order_relaxed); i > 0; --i)
      std::atomic_signal_fence(std::memory_order_seq_cst);
    // As late as can be.
    if (is_gone.load(std::memory_order_relaxed)) Stop("gone");
  }

  alignas(64) static inline char memory[kBlocks * kBlockSize];
};

}  // namespace handover_tests

#endif  // TESTS_HANDOVER_FAKE_H_
