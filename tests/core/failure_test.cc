#include "core/api/failure.h"

#include <errno.h>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class FailureTest : public InstanceTest {
 protected:
  // errno after a call that failed with this, having been 77.
  static int After(int error) { return Config::kSetErrno ? error : 77; }
  void SetUp() override { errno = 77; }
};

TEST_F(FailureTest, NumbersAreTheSystems) {
  EXPECT_EQ(kNoMemory, ENOMEM);
  EXPECT_EQ(kBusy, EBUSY);
  EXPECT_EQ(kInvalidArgument, EINVAL);
  EXPECT_EQ(kNotSupported, ENOTSUP);
}

TEST_F(FailureTest, FailSetsErrnoWhereTheKnobSaysSo) {
  EXPECT_EQ(Fail(ENOMEM), nullptr);
  EXPECT_EQ(errno, After(ENOMEM));
}

TEST_F(FailureTest, KeepErrnoKeepsIt) {
  {
    const KeepErrno keep;
    Fail(ENOMEM);
  }
  EXPECT_EQ(errno, 77);
}

TEST_F(FailureTest, AbsurdRequests) {
  constexpr size_t kTooMuch = size_t{PTRDIFF_MAX} + 1;
  void* const block = test_malloc(10);
  void* posix = &posix;
  struct Call {
    void* result;
    int error;
  };
  const auto check = [](const char* what, void* result, int error) {
    EXPECT_EQ(result, nullptr) << what;
    EXPECT_EQ(errno, After(error)) << what;
    errno = 77;
  };
  check("malloc", test_malloc(kTooMuch), ENOMEM);
  check("malloc", test_malloc(~size_t{0}), ENOMEM);
  check("malloc", test_malloc(PTRDIFF_MAX), ENOMEM);
  check("calloc", test_calloc(kTooMuch, 1), ENOMEM);
  check("calloc", test_calloc(size_t{1} << 32, size_t{1} << 32), ENOMEM);
  check("realloc", test_realloc(block, kTooMuch), ENOMEM);
  check("reallocarray", test_reallocarray(block, ~size_t{0}, 2), ENOMEM);
  check("aligned_alloc", test_aligned_alloc(64, kTooMuch), ENOMEM);
  check("aligned_alloc", test_aligned_alloc(64, ~size_t{0}), ENOMEM);
  check("aligned_alloc", test_aligned_alloc(3, 10), EINVAL);
  check("aligned_alloc", test_aligned_alloc(0, 10), EINVAL);
  check("aligned_alloc", test_aligned_alloc(size_t{1} << 31, 10), EINVAL);
  check("memalign", test_memalign(3, 10), EINVAL);
  EXPECT_EQ(test_posix_memalign(&posix, 64, kTooMuch), ENOMEM);
  EXPECT_EQ(test_posix_memalign(&posix, 3, 10), EINVAL);
  EXPECT_EQ(test_posix_memalign(&posix, 4, 10), EINVAL);
  EXPECT_EQ(posix, &posix) << "changes only on success";
  EXPECT_EQ(errno, 77) << "posix_memalign never sets it";
  test_free(block);
}

TEST_F(FailureTest, SuccessLeavesErrno) {
  void* block = test_malloc(100);
  block = test_realloc(block, 1000000);
  test_free(block);
  test_free(nullptr);
  test_free(test_calloc(10, 10));
  test_purge();
  EXPECT_EQ(errno, 77);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
