// Where blocks begin.
#include <cerrno>
#include <cstdint>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using AlignmentTest = ContractTest;

bool IsAligned(const void* block, size_t alignment) {
  return reinterpret_cast<uintptr_t>(block) % alignment == 0;
}

// From 16 bytes on to what the ABI asks for every type, below to what fits.
size_t MallocAlignment(size_t size) { return size >= 16 ? 16 : 8; }

TEST_F(AlignmentTest, MallocCallocAndRealloc) {
  std::vector<void*> blocks;
  for (size_t size = 0; size <= 4096; ++size) {
    void* const block = subject::malloc(size);
    ASSERT_TRUE(IsAligned(block, MallocAlignment(size))) << size;
    void* const zeroed = subject::calloc(1, size);
    ASSERT_TRUE(IsAligned(zeroed, MallocAlignment(size))) << size;
    void* const moved = subject::realloc(subject::malloc(1), size + 1);
    ASSERT_TRUE(IsAligned(moved, MallocAlignment(size + 1))) << size;
    blocks.insert(blocks.end(), {block, zeroed, moved});
  }
  for (const size_t size : kSizesOfAllKinds) {
    blocks.push_back(subject::malloc(size));
    ASSERT_TRUE(IsAligned(blocks.back(), MallocAlignment(size))) << size;
  }
  for (void* const block : blocks) subject::free(block);
}

TEST_F(AlignmentTest, EveryPowerOfTwoWithEveryKindOfSize) {
  for (size_t alignment = 1; alignment <= 4 * kMiB; alignment *= 2) {
    for (const size_t size : kSizesOfAllKinds) {
      // Several at once: the first block of a fresh slab is aligned to
      // anything.
      std::vector<void*> blocks = {
          subject::aligned_alloc(alignment, size),
          subject::memalign(alignment, size),
      };
      if (alignment >= sizeof(void*)) {
        void* block = nullptr;
        ASSERT_EQ(subject::posix_memalign(&block, alignment, size), 0);
        blocks.push_back(block);
      }
      for (void* const block : blocks) {
        ASSERT_NE(block, nullptr) << alignment << " " << size;
        ASSERT_TRUE(IsAligned(block, alignment))
            << alignment << " " << size << " " << block;
        ASSERT_GE(subject::malloc_usable_size(block), size);
        Fill(block, size, alignment);
      }
      for (void* const block : blocks) {
        ASSERT_TRUE(Holds(block, size, alignment));
        subject::free(block);
      }
    }
  }
}

// The size need not be a multiple of the alignment, and may be 0.
TEST_F(AlignmentTest, ManyOfOneAlignment) {
  for (const size_t alignment : {32, 64, 256, 4096, 65536}) {
    std::vector<void*> blocks;
    for (size_t size = 0; size < 200; size += 7) {
      blocks.push_back(subject::aligned_alloc(alignment, size));
      ASSERT_TRUE(IsAligned(blocks.back(), alignment))
          << alignment << " " << size;
      Fill(blocks.back(), size, size);
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
      ASSERT_TRUE(Holds(blocks[i], i * 7, i * 7));
      subject::free(blocks[i]);
    }
  }
}

TEST_F(AlignmentTest, TheLargestIsOneGiB) {
  void* const block = subject::aligned_alloc(1024 * kMiB, 100);
  ASSERT_NE(block, nullptr);
  EXPECT_TRUE(IsAligned(block, 1024 * kMiB));
  subject::free(block);
}

TEST_F(AlignmentTest, RefusesWhatIsNoAlignment) {
  for (const size_t alignment : {size_t{0}, size_t{3}, size_t{24},
                                 size_t{1} << 31, size_t{1} << 63, SIZE_MAX}) {
    EXPECT_EQ(subject::aligned_alloc(alignment, 64), nullptr) << alignment;
    EXPECT_EQ(subject::memalign(alignment, 64), nullptr) << alignment;
    void* block = &block;
    EXPECT_EQ(subject::posix_memalign(&block, alignment, 64), EINVAL)
        << alignment;
    EXPECT_EQ(block, &block) << "a refusal must leave the result alone";
  }
}

TEST_F(AlignmentTest, PosixMemalignWantsThatOfAPointer) {
  for (const size_t alignment : {1, 2, 4}) {
    void* block = &block;
    EXPECT_EQ(subject::posix_memalign(&block, alignment, 64), EINVAL)
        << alignment;
    EXPECT_EQ(block, &block);
  }
}

TEST_F(AlignmentTest, AbsurdSizesGiveNull) {
  for (const size_t alignment : {size_t{16}, size_t{4096}, kMiB, 1024 * kMiB}) {
    for (const size_t size :
         {size_t{PTRDIFF_MAX}, SIZE_MAX, SIZE_MAX - alignment, SIZE_MAX - 15}) {
      EXPECT_EQ(subject::aligned_alloc(alignment, size), nullptr)
          << alignment << " " << size;
      void* block = &block;
      EXPECT_EQ(subject::posix_memalign(&block, alignment, size), ENOMEM);
      EXPECT_EQ(block, &block);
    }
  }
}

}  // namespace
}  // namespace contract
