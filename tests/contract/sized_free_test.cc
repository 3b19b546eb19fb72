// free_sized and free_aligned_sized take every size that a block can have been
// asked for.
#include <csignal>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/contract/messages.h"

namespace contract {
namespace {

using SizedFreeTest = ContractTest;
using SizedFreeDeathTest = ContractTest;

TEST_F(SizedFreeTest, OfEverySize) {
  for (size_t size = 0; size <= 70 * kKiB; size += size < 9000 ? 1 : 501) {
    subject::free_sized(subject::malloc(size), size);
    subject::free_sized(subject::calloc(1, size), size);
  }
  for (const size_t size : kSizesOfAllKinds)
    subject::free_sized(subject::malloc(size), size);
}

// realloc may keep a block that is larger than the size asks for.
TEST_F(SizedFreeTest, AfterRealloc) {
  for (const size_t old_size : kSizesOfAllKinds) {
    for (const size_t size : kSizesOfAllKinds) {
      subject::free_sized(subject::realloc(subject::malloc(old_size), size),
                          size);
    }
    const size_t usable = subject::malloc_good_size(old_size);
    subject::free_sized(
        subject::realloc(subject::malloc(old_size), usable / 2 + 1),
        usable / 2 + 1);
  }
}

TEST_F(SizedFreeTest, OfEveryAlignment) {
  for (size_t alignment = 1; alignment <= kMiB; alignment *= 2) {
    for (const size_t size : kSizesOfAllKinds) {
      subject::free_aligned_sized(subject::aligned_alloc(alignment, size),
                                  alignment, size);
    }
  }
}

TEST_F(SizedFreeDeathTest, AnotherSize) {
  for (const size_t size :
       {size_t{64}, size_t{1024}, 8 * kKiB, 64 * kKiB, 128 * kKiB, 2 * kMiB}) {
    void* const block = subject::malloc(size);
    const std::string line = Line(kWrongSize, block, OfBytes(size));
    EXPECT_STOPS(subject::free_sized(block, size + 1), line);
    EXPECT_STOPS(subject::free_sized(block, size / 2 - 1), line);
    EXPECT_STOPS(subject::free_sized(block, 0), line);
    EXPECT_STOPS(subject::free_sized(block, ~size_t{0}), line);
    subject::free(block);
  }
}

TEST_F(SizedFreeDeathTest, AnotherSizeOfAnAlignedBlock) {
  void* const block = subject::aligned_alloc(256, 256);
  EXPECT_STOPS(subject::free_aligned_sized(block, 256, 257),
               Line(kWrongSize, block, OfBytes(256)));
  subject::free(block);
}

TEST_F(SizedFreeDeathTest, AnotherAlignment) {
  // Blocks of 64 bytes: one of two neighbours is aligned to 128, the other is
  // not.
  void* blocks[2] = {subject::aligned_alloc(64, 64),
                     subject::aligned_alloc(64, 64)};
  void* const block = blocks[reinterpret_cast<uintptr_t>(blocks[0]) % 128 == 0];
  const std::string line = Line(kWrongAlignment, block);
  EXPECT_STOPS(subject::free_aligned_sized(block, 128, 64), line);
  EXPECT_STOPS(subject::free_aligned_sized(block, 48, 64), line);
  EXPECT_STOPS(subject::free_aligned_sized(block, 0, 64), line);
  for (void* const each : blocks) subject::free(each);
}

TEST_F(SizedFreeDeathTest, OfForeignMemory) {
  int local = 0;
  EXPECT_STOPS(subject::free_sized(&local, sizeof(local)),
               Line(kUseForeign, &local));
}

}  // namespace
}  // namespace contract
