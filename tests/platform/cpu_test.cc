// The inline primitives.
#include <string.h>

#include <vector>

#include "gtest/gtest.h"
#include "platform/platform.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace platform {
namespace {

TEST(Ticks, NeverSlowerThanItsBound) {
  const uint64_t begin_ms = Milliseconds();
  const uint64_t begin = Ticks();
  while (Milliseconds() - begin_ms < 50) SpinHint();
  const uint64_t ticks = Ticks() - begin;
  // The coarse clock can be up to 10 ms behind.
  EXPECT_GE(ticks, 40 * kTicksPerMillisecondMin);
}

TEST(Ticks, DoNotGoBack) {
  uint64_t before = Ticks();
  for (int i = 0; i < 100000; ++i) {
    const uint64_t now = Ticks();
    ASSERT_GE(now, before);
    before = now;
  }
}

constexpr size_t kSizes[] = {0,   1,   7,    8,    63,   64,    65,
                             511, 512, 4095, 4096, 4097, 100000};
constexpr size_t kMargin = 64;

TEST(CopyBulk, CopiesThisAndNothingElse) {
  for (const size_t size : kSizes) {
    for (const size_t shift : {0, 1, 15}) {
      std::vector<unsigned char> from(size + 2 * kMargin);
      for (size_t i = 0; i < from.size(); ++i)
        from[i] = static_cast<unsigned char>(i * 31 + 1);
      std::vector<unsigned char> to(size + 2 * kMargin, 0xee);
      CopyBulk(to.data() + kMargin - shift, from.data() + kMargin, size);
      for (size_t i = 0; i < to.size(); ++i) {
        const size_t begin = kMargin - shift;
        const bool inside = i >= begin && i < begin + size;
        ASSERT_EQ(to[i], inside ? from[i - begin + kMargin] : 0xee)
            << size << " at " << i;
      }
    }
  }
}

TEST(CopyBulk, MayOverlapDownwards) {
  std::vector<unsigned char> bytes(10000);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(i * 7);
  const std::vector<unsigned char> before = bytes;
  CopyBulk(bytes.data(), bytes.data() + 1, bytes.size() - 1);
  EXPECT_EQ(memcmp(bytes.data(), before.data() + 1, bytes.size() - 1), 0);
}

TEST(FillBulk, FillsThisAndNothingElse) {
  for (const size_t size : kSizes) {
    std::vector<unsigned char> to(size + 2 * kMargin, 0xee);
    FillBulk(to.data() + kMargin, 0x5a, size);
    for (size_t i = 0; i < to.size(); ++i) {
      const bool inside = i >= kMargin && i < kMargin + size;
      ASSERT_EQ(to[i], inside ? 0x5a : 0xee) << size << " at " << i;
    }
  }
}

}  // namespace
}  // namespace platform
}  // namespace ALCOVE_CORE_NAMESPACE
