// What the tests of the core share.
#ifndef ALCOVE_TESTS_CORE_TESTING_H_
#define ALCOVE_TESTS_CORE_TESTING_H_

#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/api/state.h"
#include "gtest/gtest.h"
#include "platform/fake/fake.h"
#include ALCOVE_PUBLIC_HEADER

namespace ALCOVE_CORE_NAMESPACE {

namespace fake = platform::fake;
using fake::Failures;
using fake::Primitive;
using fake::ScopedFailures;

// Small pseudorandom numbers of good enough quality. The seed is fixed, so that
// a failure happens again, or taken from ALCOVE_TEST_SEED; a failing test shows
// it.
class Random {
 public:
  explicit Random(uint64_t stream = 0)
      : state_(Seed() + stream * 0x9e3779b97f4a7c15 + 1) {}

  static uint64_t Seed() {
    const char* const seed = getenv("ALCOVE_TEST_SEED");
    return seed == nullptr ? 20240607 : strtoull(seed, nullptr, 10);
  }

  uint64_t Next() {  // splitmix64
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In [0, n).
  size_t Below(size_t n) { return static_cast<size_t>(Next() % n); }
  // In [1, 2^log), small ones as likely as large ones.
  size_t Size(unsigned log) {
    return 1 + Below(size_t{1} << (1 + Below(log))) % ((size_t{1} << log) - 1);
  }

 private:
  uint64_t state_;
};

// A fresh instance before each test, and the proof after it that nothing is
// left behind.
class InstanceTest : public testing::Test {
 protected:
  InstanceTest()
      : trace_(__FILE__, __LINE__,
               "ALCOVE_TEST_SEED=" + std::to_string(Random::Seed())) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    mapped_ = fake::MappedBytes();
  }
  ~InstanceTest() override {
    EXPECT_EQ(test_shutdown(), 0);
    EXPECT_EQ(fake::MappedBytes(), mapped_) << "shutdown left something mapped";
  }
  // For a test that keeps the system from taking something back.
  void ExpectLeft(int64_t mapped) { mapped_ = mapped; }

 private:
  testing::ScopedTrace trace_;
  int64_t mapped_;
};

// A pattern of its own for each block, so that overlaps and lost contents show.
inline void Fill(void* block, size_t size, uint64_t tag) {
  auto* const bytes = static_cast<unsigned char*>(block);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<unsigned char>(tag * 131 + i * 7 + (i >> 8));
}
inline bool IsFilled(const void* block, size_t size, uint64_t tag) {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != static_cast<unsigned char>(tag * 131 + i * 7 + (i >> 8)))
      return false;
  }
  return true;
}
inline bool IsZero(const void* block, size_t size) {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

// Runs body(0) to body(n - 1) on a thread each, all at once.
template <typename Body>
void RunThreads(unsigned n, Body body) {
  std::atomic<unsigned> ready{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < n; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready.load() < n) std::this_thread::yield();
      body(i);
      fake::Farewell();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

inline test_stats_t Stats() {
  test_stats_t stats;
  stats.struct_size = sizeof(stats);
  EXPECT_EQ(test_stats(&stats), 0);
  return stats;
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_TESTS_CORE_TESTING_H_
