#include "core/hardening/canary.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr uint64_t kSecret = 0x123456789abcdef0;

// It is the same arithmetic where the knob is off, but for what WithCanary adds.
TEST(Canary, KnowsWhatWasAskedFor) {
  for (size_t extent = 8; extent <= 4096; extent += 8) {
    alignas(16) char block[4096] = {};
    const Canary canary(kSecret, block);
    for (size_t size = 0; size <= extent - 8; size += 1 + size / 8) {
      canary.Put(block, size, extent);
      size_t read = 0;
      ASSERT_TRUE(canary.Check(block, extent, &read));
      ASSERT_EQ(read, size);
    }
  }
}

// Any byte, whatever is written there: also the zero at the end of a string.
TEST(Canary, NoticesEachByte) {
  alignas(16) char block[64] = {};
  for (const size_t size : {0, 1, 7, 8, 20, 55, 56}) {
    for (size_t at = size; at < sizeof(block); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        const Canary canary(kSecret, block);
        canary.Put(block, size, sizeof(block));
        const char there = block[at];
        block[at] = static_cast<char>(byte);
        size_t read;
        const bool same = there == static_cast<char>(byte);
        ASSERT_EQ(canary.Check(block, sizeof(block), &read), same)
            << size << " " << at << " " << byte;
      }
    }
  }
}

TEST(Canary, HasNoZeroByte) {
  for (int i = 0; i < 1000; ++i) {
    alignas(16) char block[16] = {};
    const Canary canary(kSecret + static_cast<uint64_t>(i), block);
    canary.Fill(block, block + sizeof(block));
    for (const char byte : block) ASSERT_NE(byte, 0);
  }
}

TEST(Canary, DependsOnSecretAndAddress) {
  alignas(16) char a[16] = {};
  char b[sizeof(a)] = {};
  const Canary canary(kSecret, a);
  canary.Fill(a, a + 8);
  Canary(kSecret, a + 16).Fill(b, b + 8);
  EXPECT_NE(memcmp(a, b, 8), 0);
  Canary(kSecret + 1, a).Fill(b, b + 8);
  EXPECT_NE(memcmp(a, b, 8), 0);
}

TEST(Canary, AFreedBlockSaysSo) {
  alignas(16) char block[32] = {};
  const Canary canary(kSecret, block);
  canary.Put(block, 3, sizeof(block));
  EXPECT_FALSE(canary.SaysFreed(block, sizeof(block)));
  canary.PutFreed(block, sizeof(block));
  EXPECT_TRUE(canary.SaysFreed(block, sizeof(block)));
  size_t size;
  EXPECT_FALSE(canary.Check(block, sizeof(block), &size));
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
