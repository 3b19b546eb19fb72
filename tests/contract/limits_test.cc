// Sizes of nothing, and sizes beyond everything; and what becomes of errno.
#include <cerrno>
#include <cstdint>
#include <set>
#include <vector>

#include "tests/contract/contract.h"

namespace contract {
namespace {

using LimitsTest = ContractTest;

// No machine has this much; the last fits the address space, but not beside the
// program.
const std::vector<size_t> kAbsurd = {
    SIZE_MAX,
    SIZE_MAX - 1,
    SIZE_MAX - 4096,
    SIZE_MAX - 65535,
    size_t{PTRDIFF_MAX} + 1,
    size_t{PTRDIFF_MAX},
    size_t{PTRDIFF_MAX} - 1,
    size_t{PTRDIFF_MAX} - 65536,
    size_t{1} << 62,
    size_t{1} << 48,
    size_t{1} << 47,
};

TEST_F(LimitsTest, BlocksOfNoBytesAreBlocks) {
  std::set<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.insert(subject::malloc(0));
    blocks.insert(subject::calloc(0, 8));
    blocks.insert(subject::calloc(8, 0));
    blocks.insert(subject::realloc(nullptr, 0));
    blocks.insert(subject::aligned_alloc(64, 0));
  }
  EXPECT_EQ(blocks.size(), 500u);
  EXPECT_EQ(blocks.count(nullptr), 0u);
  EXPECT_EQ(GetStats().blocks_live, 500u);
  for (void* const block : blocks) subject::free(block);
}

TEST_F(LimitsTest, AbsurdSizesGiveNull) {
  void* const block = subject::malloc(100);
  Fill(block, 100, 1);
  for (const size_t size : kAbsurd) {
    EXPECT_EQ(subject::malloc(size), nullptr) << size;
    EXPECT_EQ(subject::calloc(1, size), nullptr) << size;
    EXPECT_EQ(subject::calloc(size, 1), nullptr) << size;
    EXPECT_EQ(subject::realloc(nullptr, size), nullptr) << size;
    EXPECT_EQ(subject::realloc(block, size), nullptr) << size;
    EXPECT_EQ(subject::reallocarray(block, size, 1), nullptr) << size;
  }
  EXPECT_TRUE(Holds(block, 100, 1))
      << "a realloc that fails leaves the block as it is";
  EXPECT_EQ(GetStats().blocks_live, 1u);
  subject::free(block);
}

TEST_F(LimitsTest, LargeBlocksSurviveAFailedRealloc) {
  for (const size_t old_size : {300 * kKiB, 3 * kMiB}) {
    void* const block = subject::malloc(old_size);
    Fill(block, old_size, old_size);
    for (const size_t size : kAbsurd)
      ASSERT_EQ(subject::realloc(block, size), nullptr) << size;
    EXPECT_TRUE(Holds(block, old_size, old_size));
    subject::free(block);
  }
}

TEST_F(LimitsTest, ProductsThatOverflowGiveNull) {
  const size_t half = size_t{1} << 32;
  const std::vector<std::pair<size_t, size_t>> products = {
      {half, half},
      {half, half + 1},
      {SIZE_MAX, 2},
      {2, SIZE_MAX},
      {SIZE_MAX / 2 + 1, 2},
      {SIZE_MAX / 8, 9},
      {SIZE_MAX, SIZE_MAX},
      // The first wraps around to 8, the second to a likely 64.
      {(SIZE_MAX / 8) + 2, 8},
      {(SIZE_MAX / 64) + 2, 64},
  };
  void* const block = subject::malloc(100);
  Fill(block, 100, 2);
  for (const auto& [count, size] : products) {
    EXPECT_EQ(subject::calloc(count, size), nullptr) << count << " " << size;
    EXPECT_EQ(subject::reallocarray(nullptr, count, size), nullptr)
        << count << " " << size;
    EXPECT_EQ(subject::reallocarray(block, count, size), nullptr)
        << count << " " << size;
  }
  EXPECT_TRUE(Holds(block, 100, 2));
  subject::free(block);
}

TEST_F(LimitsTest, NullIsNoBlock) {
  subject::free(nullptr);
  subject::free_sized(nullptr, 8);
  subject::free_aligned_sized(nullptr, 8, 8);
  EXPECT_EQ(subject::malloc_usable_size(nullptr), 0u);
  EXPECT_EQ(subject::owns(nullptr), 0);
  EXPECT_EQ(GetStats().bytes_reserved, 0u)
      << "nothing needs to be mapped for that";
}

// ---- errno: the code that a failure sets, or what it was, as the knob says.
// ----

constexpr int kUntouched = 12345;

#define EXPECT_ERRNO(expression, code)                                      \
  do {                                                                      \
    errno = kUntouched;                                                     \
    (void)(expression);                                                     \
    const int now = errno;                                                  \
    EXPECT_EQ(now, IsOn("set_errno") ? (code) : kUntouched) << #expression; \
  } while (false)

TEST_F(LimitsTest, ErrnoOfFailures) {
  void* const block = subject::malloc(8);
  EXPECT_ERRNO(subject::malloc(SIZE_MAX), ENOMEM);
  EXPECT_ERRNO(subject::malloc(size_t{1} << 47), ENOMEM);
  EXPECT_ERRNO(subject::calloc(1, SIZE_MAX), ENOMEM);
  EXPECT_ERRNO(subject::calloc(SIZE_MAX, 2), ENOMEM);
  EXPECT_ERRNO(subject::realloc(block, SIZE_MAX), ENOMEM);
  EXPECT_ERRNO(subject::realloc(nullptr, SIZE_MAX), ENOMEM);
  EXPECT_ERRNO(subject::reallocarray(block, SIZE_MAX, 2), ENOMEM);
  EXPECT_ERRNO(subject::aligned_alloc(4096, SIZE_MAX), ENOMEM);
  EXPECT_ERRNO(subject::aligned_alloc(3, 8), EINVAL);
  EXPECT_ERRNO(subject::memalign(0, 8), EINVAL);
  subject::free(block);
}

TEST_F(LimitsTest, ErrnoOfSuccess) {
  errno = kUntouched;
  std::vector<void*> blocks;
  for (const size_t size : kSizesOfAllKinds) {
    blocks.push_back(subject::malloc(size));
    blocks.push_back(subject::calloc(1, size));
    blocks.push_back(subject::aligned_alloc(4096, size));
    blocks.push_back(subject::realloc(subject::malloc(1), size));
  }
  EXPECT_EQ(errno, kUntouched);
  for (void* const block : blocks) subject::free(block);
  subject::purge();
  subject::thread_detach();
  subject::shutdown();
  EXPECT_EQ(errno, kUntouched) << "free must not touch errno";
}

TEST_F(LimitsTest, PosixMemalignReturnsItsErrors) {
  errno = kUntouched;
  void* block = nullptr;
  EXPECT_EQ(subject::posix_memalign(&block, 3, 8), EINVAL);
  EXPECT_EQ(subject::posix_memalign(&block, 64, SIZE_MAX), ENOMEM);
  EXPECT_EQ(subject::posix_memalign(&block, 64, size_t{1} << 47), ENOMEM);
  EXPECT_EQ(errno, kUntouched);
}

}  // namespace
}  // namespace contract
