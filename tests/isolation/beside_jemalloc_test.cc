// The random test of the contract, with jemalloc as the process's malloc:
// linked with
// //tests/contract:overlap_test_cases. Here is the proof that jemalloc is.
#include <jemalloc/jemalloc.h>

#include <cstdint>
#include <cstdlib>

#include "gtest/gtest.h"
#include "tests/contract/subject.h"

namespace {

uint64_t AllocatedByThisThread() {
  uint64_t bytes = 0;
  size_t size = sizeof(bytes);
  EXPECT_EQ(mallctl("thread.allocated", &bytes, &size, nullptr, 0), 0);
  return bytes;
}

TEST(BesideJemallocTest, MallocIsJemalloc) {
  const uint64_t before = AllocatedByThisThread();
  void* const block = std::malloc(100000);
  EXPECT_GE(AllocatedByThisThread() - before, 100000u);
  EXPECT_EQ(subject::owns(block), 0);
  std::free(block);
}

TEST(BesideJemallocTest, TheInstanceTakesNothingFromIt) {
  void* const first = subject::malloc(1);
  const uint64_t before = AllocatedByThisThread();
  for (size_t size = 1; size < 1000000; size *= 3) {
    void* const block = subject::malloc(size);
    EXPECT_NE(subject::owns(block), 0);
    subject::free(block);
  }
  EXPECT_EQ(AllocatedByThisThread(), before);
  subject::free(first);
}

}  // namespace
