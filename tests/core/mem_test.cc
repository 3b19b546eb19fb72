// The core's own memcpy & co; core_under_test.bzl gives them the instance's
// prefix, as the stamping does.
#include <stddef.h>
#include <string.h>

#include <vector>

#include "gtest/gtest.h"

extern "C" {
void* test_memcpy(void* to, const void* from, size_t size);
void* test_memmove(void* to, const void* from, size_t size);
void* test_memset(void* to, int byte, size_t size);
int test_memcmp(const void* a, const void* b, size_t size);
}

namespace {

// Around the words of 8 bytes and the bound of 512 from which on the CPU does
// it.
std::vector<size_t> Sizes() {
  std::vector<size_t> sizes;
  for (size_t size = 0; size <= 70; ++size) sizes.push_back(size);
  for (const size_t size :
       {100, 127, 128, 505, 511, 512, 513, 520, 1000, 4096, 65537}) {
    sizes.push_back(size);
  }
  return sizes;
}

std::vector<unsigned char> Bytes(size_t size) {
  std::vector<unsigned char> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<unsigned char>(i * 31 + (i >> 8) + 1);
  return bytes;
}

constexpr size_t kMargin = 32;

TEST(Mem, Copy) {
  for (const size_t size : Sizes()) {
    for (size_t to_shift = 0; to_shift < 9; to_shift += 3) {
      for (size_t from_shift = 0; from_shift < 9; from_shift += 4) {
        const std::vector<unsigned char> from = Bytes(size + kMargin);
        std::vector<unsigned char> to(size + 2 * kMargin, 0xee);
        std::vector<unsigned char> expected = to;
        for (size_t i = 0; i < size; ++i)
          expected[kMargin + to_shift + i] = from[from_shift + i];
        void* const target = to.data() + kMargin + to_shift;
        ASSERT_EQ(test_memcpy(target, from.data() + from_shift, size), target);
        ASSERT_EQ(to, expected) << size << " " << to_shift << " " << from_shift;
      }
    }
  }
}

TEST(Mem, MoveOverlappingEitherWay) {
  for (const size_t size : Sizes()) {
    for (const size_t distance : {0, 1, 5, 8, 9, 31}) {
      for (const bool up : {false, true}) {
        std::vector<unsigned char> bytes = Bytes(size + 2 * kMargin);
        std::vector<unsigned char> expected = bytes;
        const size_t from = up ? kMargin : kMargin + distance;
        const size_t to = up ? kMargin + distance : kMargin;
        const std::vector<unsigned char> before = bytes;
        for (size_t i = 0; i < size && to + i < expected.size(); ++i) {
          if (from + i < before.size()) expected[to + i] = before[from + i];
        }
        if (from + size > bytes.size() || to + size > bytes.size()) continue;
        ASSERT_EQ(test_memmove(bytes.data() + to, bytes.data() + from, size),
                  bytes.data() + to);
        ASSERT_EQ(bytes, expected)
            << size << " " << distance << (up ? " up" : " down");
      }
    }
  }
}

TEST(Mem, Set) {
  for (const size_t size : Sizes()) {
    for (const int byte : {0, 0x5a, 0xff, 0x1ff, -1}) {
      std::vector<unsigned char> bytes(size + 2 * kMargin, 0x77);
      std::vector<unsigned char> expected = bytes;
      for (size_t i = 0; i < size; ++i)
        expected[kMargin + i] = static_cast<unsigned char>(byte);
      ASSERT_EQ(test_memset(bytes.data() + kMargin, byte, size),
                bytes.data() + kMargin);
      ASSERT_EQ(bytes, expected) << size << " " << byte;
    }
  }
}

TEST(Mem, Compare) {
  for (const size_t size : {1, 7, 8, 9, 64, 511, 600}) {
    const std::vector<unsigned char> a = Bytes(size);
    EXPECT_EQ(test_memcmp(a.data(), a.data(), size), 0);
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      std::vector<unsigned char> b = a;
      b[at] = static_cast<unsigned char>(
          a[at] ^ 0x80);  // as unsigned, whichever is larger
      const int expected = a[at] < b[at] ? -1 : 1;
      EXPECT_EQ(test_memcmp(a.data(), b.data(), size) < 0 ? -1 : 1, expected);
      EXPECT_EQ(test_memcmp(a.data(), b.data(), at), 0)
          << "bytes behind do not count";
    }
  }
  EXPECT_EQ(test_memcmp(nullptr, nullptr, 0), 0);
}

}  // namespace
