// realloc of every pair of sizes in 0..4096, contents checked: 16.8 million
// pairs.
#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using ReallocPairsTest = ContractTest;

constexpr size_t kLargest = 4096;

TEST_F(ReallocPairsTest, KeepsContents) {
  std::vector<unsigned char> pattern(kLargest + 64);
  Fill(pattern.data(), pattern.size(), 4711);
  for (size_t old_size = 0; old_size <= kLargest; ++old_size) {
    for (size_t size = 0; size <= kLargest; ++size) {
      // Neither the block's former contents nor its neighbours' are the same
      // bytes.
      const unsigned char* const expected =
          pattern.data() + (old_size + size) % 64;
      void* const block = subject::malloc(old_size);
      std::memcpy(block, expected, old_size);
      void* const moved = subject::realloc(block, size);
      if (size == 0) {
        ASSERT_EQ(moved, nullptr) << "a size of 0 frees the block";
        continue;
      }
      if (moved == nullptr ||
          std::memcmp(moved, expected, std::min(old_size, size)) != 0) {
        FAIL() << "from " << old_size << " to " << size << " bytes: " << moved;
      }
      subject::free(moved);
    }
    ASSERT_EQ(GetStats().blocks_live, 0u) << old_size;
  }
}

}  // namespace
}  // namespace contract
