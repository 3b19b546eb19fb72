// The paths behind the entry points: which of them go where.
#include "core/api/allocate.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class AllocateTest : public InstanceTest {};

TEST_F(AllocateTest, TheFastPathCallsNoPrimitive) {
  std::vector<void*> warm;
  for (const size_t size : {8, 16, 100, 1000, 2000, 30000, 65536}) {
    for (int i = 0; i < 4; ++i) warm.push_back(Allocate(size));
  }
  for (void* block : warm) Free(block);
  std::vector<std::unique_ptr<fake::ScopedForbid>> forbidden;
  for (unsigned p = 0; p < fake::kPrimitives; ++p) {
    forbidden.push_back(
        std::make_unique<fake::ScopedForbid>(static_cast<Primitive>(p)));
  }
  for (int i = 0; i < 1000; ++i) {
    for (const size_t size : {8, 16, 100, 1000, 2000, 30000, 65536})
      Free(Allocate(size));
  }
}

TEST_F(AllocateTest, EverySizeOnEveryPath) {
  for (size_t size = 0; size <= kSlabMax + 3 * kUnit;
       size += size < 2000 ? 1 : 997) {
    void* const fast = Allocate(size);
    void* const slow = AllocateSlow(size);
    void* const zeroed = AllocateZeroed(size);
    ASSERT_NE(fast, slow);
    ASSERT_NE(slow, zeroed);
    for (void* block : {fast, slow, zeroed}) {
      ASSERT_EQ(UsableSize(block), GoodSize(size));
      ASSERT_EQ(AddressOf(block) % (size <= 8 ? 8 : 16), 0u);
    }
    ASSERT_TRUE(IsZero(zeroed, size));
    Free(fast);
    FreeSlow(slow);
    Free(zeroed);
  }
}

TEST_F(AllocateTest, AlignedBlocksComeFromSlabsUpToAUnit) {
  for (size_t alignment = 32; alignment <= kUnit; alignment *= 2) {
    void* const block = AllocateAligned(alignment, 1);
    EXPECT_EQ(AddressOf(block) % alignment, 0u);
    EXPECT_EQ(UsableSize(block), alignment);
    Free(block);
  }
  void* const block = AllocateAligned(2 * kUnit, 1);
  EXPECT_EQ(UsableSize(block), 2 * kUnit);
  Free(block);
}

TEST_F(AllocateTest, ReallocateAcrossAllKinds) {
  const size_t sizes[] = {1,     8,     9,      1000,    8192,    8193,
                          65536, 65537, 200000, 1048576, 1100000, 5000000};
  for (const size_t from : sizes) {
    for (const size_t to : sizes) {
      void* const block = Allocate(from);
      Fill(block, from, from);
      void* const moved = Reallocate(block, to);
      ASSERT_NE(moved, nullptr);
      ASSERT_TRUE(IsFilled(moved, Min(from, to), from)) << from << " " << to;
      ASSERT_GE(UsableSize(moved), to);
      Free(moved);
    }
  }
  EXPECT_EQ(Stats().blocks_live, 0u);
}

TEST_F(AllocateTest, FreeByAThreadThatNeverAllocated) {
  void* const block = Allocate(100);
  std::thread([block] { Free(block); }).join();
  std::thread([] { Free(nullptr); }).join();
  EXPECT_EQ(Stats().blocks_live, 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
