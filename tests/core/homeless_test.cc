// Frees by threads that cannot get a heap.
#include "core/heap/homeless.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class HomelessTest : public InstanceTest {};
using HomelessDeathTest = HomelessTest;

TEST_F(HomelessTest, NothingIsLost) {
  std::vector<void*> blocks;
  for (const size_t size : {8, 100, 1000, 10000, 60000, 100000, 2000000}) {
    for (int i = 0; i < 50; ++i) blocks.push_back(test_malloc(size));
  }
  std::thread([&] {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(test_malloc(10), nullptr);
    for (void* block : blocks) test_free(block);
    EXPECT_EQ(CurrentHeap(), nullptr);
    test_free(nullptr);
  }).join();
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_EQ(Stats().bytes_live, 0u);
  CurrentHeap()->Drain();
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

TEST_F(HomelessTest, ReallocFailsAndKeepsTheBlock) {
  void* const block = test_malloc(100);
  Fill(block, 100, 1);
  std::thread([&] {
    const ScopedFailures failures(Primitive::kMap, Failures::Always());
    EXPECT_EQ(test_realloc(block, 10000), nullptr);
    EXPECT_EQ(test_calloc(1, 100), nullptr);
    EXPECT_EQ(test_aligned_alloc(4096, 100), nullptr);
  }).join();
  EXPECT_TRUE(IsFilled(block, 100, 1));
  test_free(block);
}

void FreeTwiceWithoutAHeap(void* block) {
  ScopedFailures failures(Primitive::kMap, Failures::Always());
  std::thread([&] {
    test_free(block);
    test_free(block);
  }).join();
}

TEST_F(HomelessDeathTest, DoubleFree) {
  void* const small = test_malloc(100);
  EXPECT_DEATH(FreeTwiceWithoutAHeap(small),
               "^alcove\\[test_\\]: double free of 0x");
  test_free(small);
}

TEST_F(HomelessDeathTest, Inside) {
  char* const small = static_cast<char*>(test_malloc(100));
  EXPECT_DEATH(FreeTwiceWithoutAHeap(small + 1),
               "^alcove\\[test_\\]: free inside a block at 0x");
  test_free(small);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
