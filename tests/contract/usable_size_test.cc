// malloc_usable_size tells the truth to its last byte, and malloc_good_size
// foretells it.
#include <cstdint>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using UsableSizeTest = ContractTest;

// Every size up to 9000 meets all small classes and the first medium ones; then
// the kinds.
std::vector<size_t> Sizes() {
  std::vector<size_t> sizes;
  for (size_t size = 0; size <= 9000; ++size) sizes.push_back(size);
  for (size_t size = 9001; size < 200 * kKiB; size += 997)
    sizes.push_back(size);
  sizes.insert(sizes.end(), kSizesOfAllKinds.begin(), kSizesOfAllKinds.end());
  return sizes;
}

TEST_F(UsableSizeTest, NeighboursStayIntact) {
  // Neighbours are of one class: three in a row, each filled to its last byte.
  for (const size_t size : Sizes()) {
    void* const blocks[3] = {subject::malloc(size), subject::malloc(size),
                             subject::malloc(size)};
    for (int i = 0; i < 3; ++i) {
      ASSERT_GE(subject::malloc_usable_size(blocks[i]), size);
      Fill(blocks[i], subject::malloc_usable_size(blocks[i]), i);
    }
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(Holds(blocks[i], subject::malloc_usable_size(blocks[i]), i));
      subject::free(blocks[i]);
    }
  }
}

TEST_F(UsableSizeTest, IsTheGoodSize) {
  for (const size_t size : Sizes()) {
    const size_t good = subject::malloc_good_size(size);
    void* const block = subject::malloc(size);
    ASSERT_EQ(subject::malloc_usable_size(block), good) << size;
    subject::free(block);
    ASSERT_GE(good, size);
    ASSERT_EQ(subject::malloc_good_size(good), good)
        << "a good size is its own";
    // Little is lost to rounding: four classes for each doubling.
    const bool has_fine_steps = size > 64 && size <= 64 * kKiB;
    ASSERT_TRUE(!has_fine_steps || good - size <= size / 4) << size;
  }
}

TEST_F(UsableSizeTest, NoGoodSizeForNoBlock) {
  EXPECT_EQ(subject::malloc_good_size(SIZE_MAX), 0u);
  EXPECT_EQ(subject::malloc_good_size(size_t{PTRDIFF_MAX} + 1), 0u);
  EXPECT_EQ(GetStats().bytes_reserved, 0u) << "asking maps nothing";
}

TEST_F(UsableSizeTest, ReallocToItStaysAndKeepsAll) {
  for (const size_t size : kSizesOfAllKinds) {
    void* const block = subject::malloc(size);
    // Behind a large block, so that it has to move when it grows.
    void* const neighbour = subject::malloc(size);
    const size_t usable = subject::malloc_usable_size(block);
    Fill(block, usable, size);
    void* const same = subject::realloc(block, usable);
    EXPECT_EQ(same, block);
    EXPECT_TRUE(Holds(same, usable, size));
    void* const moved = subject::realloc(same, usable + 1);
    EXPECT_TRUE(Holds(moved, usable, size))
        << "bytes beyond the size asked for count too";
    subject::free(moved);
    subject::free(neighbour);
  }
}

}  // namespace
}  // namespace contract
