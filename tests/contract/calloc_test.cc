// Memory from calloc is zero, whatever it held before.
#include <utility>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using CallocTest = ContractTest;

TEST_F(CallocTest, FreshMemory) {
  for (const size_t size : kSizesOfAllKinds) {
    void* const block = subject::calloc(1, size);
    ASSERT_TRUE(IsZero(block, size)) << size;
    subject::free(block);
  }
}

// Enough blocks for several slabs, so that caches, bitmaps and released slabs
// all serve.
TEST_F(CallocTest, RecycledMemoryOfEveryKind) {
  for (const size_t size : kSizesOfAllKinds) {
    const size_t count =
        std::max<size_t>(2, std::min<size_t>(3000, 8 * kMiB / size));
    for (int round = 0; round < 3; ++round) {
      std::vector<void*> blocks(count);
      for (void*& block : blocks) {
        block = subject::calloc(1, size);
        ASSERT_TRUE(IsZero(block, size)) << size << " in round " << round;
        Fill(block, subject::malloc_usable_size(block), 5);
      }
      // Every other one first, so that the next round finds some slabs half
      // full.
      for (size_t i = 0; i < count; i += 2)
        subject::free(std::exchange(blocks[i], nullptr));
      for (size_t i = 0; i < count; i += 2) {
        blocks[i] = subject::calloc(size, 1);
        ASSERT_TRUE(IsZero(blocks[i], size)) << size << " in round " << round;
        Fill(blocks[i], subject::malloc_usable_size(blocks[i]), 6);
      }
      for (void* const block : blocks) subject::free(block);
    }
  }
}

// Memory of one kind recycled as another.
TEST_F(CallocTest, AcrossKinds) {
  for (const size_t before : kSizesOfAllKinds) {
    for (const size_t size : kSizesOfAllKinds) {
      void* const dirty = subject::malloc(before);
      Fill(dirty, subject::malloc_usable_size(dirty), before);
      subject::free(dirty);
      subject::thread_detach();  // the cache would keep it for its own kind
      void* const block = subject::calloc(1, size);
      ASSERT_TRUE(IsZero(block, size)) << before << " then " << size;
      Fill(block, size, 1);
      subject::free(block);
    }
  }
}

TEST_F(CallocTest, AfterPurge) {
  for (const size_t size : kSizesOfAllKinds) {
    void* const dirty = subject::malloc(size);
    Fill(dirty, size, 1);
    subject::free(dirty);
    subject::thread_detach();
    subject::purge();
    void* const block = subject::calloc(1, size);
    ASSERT_TRUE(IsZero(block, size)) << size;
    subject::free(block);
  }
}

}  // namespace
}  // namespace contract
