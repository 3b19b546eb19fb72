// With `zero_on_free` what was in a block is nowhere once it is freed.
#include <functional>

#include "core/heap/checks.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

static_assert(Config::kZeroOnFree);

constexpr size_t kSizes[] = {8,     48,     1024,    8192,
                             20000, 100000, 2000000, size_t{36} << 20};
constexpr unsigned char kSecret = 0x5e;

class ZeroOnFreeTest : public InstanceTest {
 protected:
  static unsigned char* Secret(void* block, size_t size) {
    EXPECT_NE(block, nullptr);
    memset(block, kSecret, size);
    return static_cast<unsigned char*>(block);
  }
  // In memory that is free, which the instance keeps accessible.
  static bool IsThere(const unsigned char* freed, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      // After a failed purge it may be anything else.
      if (*static_cast<const volatile unsigned char*>(freed + i) == kSecret)
        return true;
    }
    return false;
  }
};

TEST_F(ZeroOnFreeTest, OfEveryKind) {
  for (const size_t size : kSizes) {
    // The second time the cache has room.
    for (int i = 0; i < 2; ++i) {
      unsigned char* const block = Secret(test_malloc(size), size);
      test_free(block);
      EXPECT_FALSE(IsThere(block, size)) << size;
    }
    unsigned char* const block = Secret(test_malloc(size), size);
    std::thread([&] {
      test_free(block);
      fake::Farewell();
    }).join();
    EXPECT_FALSE(IsThere(block, size)) << size;
  }
}

TEST_F(ZeroOnFreeTest, WhatReallocLeaves) {
  for (const size_t size : kSizes) {
    unsigned char* const block = Secret(test_malloc(size), size);
    test_malloc(1);
    auto* const moved =
        static_cast<unsigned char*>(test_realloc(block, 3 * size));
    EXPECT_TRUE(IsThere(moved, size));
    if (moved != block) {
      EXPECT_FALSE(IsThere(block, size)) << size;
    }
    test_free(moved);
  }
  // What is cut off in place.
  constexpr size_t kSize = 2000000;
  unsigned char* const block = Secret(test_malloc(kSize), kSize);
  const size_t left = test_try_realloc_in_place(block, 0, 200000);
  EXPECT_LT(left, kSize);
  EXPECT_FALSE(IsThere(block + left, kSize - left));
}

TEST_F(ZeroOnFreeTest, InArenas) {
  for (const uint32_t mode :
       {uint32_t{test_arena_general}, uint32_t{test_arena_monotonic}}) {
    for (const auto& end : {test_arena_destroy, test_arena_reset}) {
      test_arena_options options = {};
      options.struct_size = sizeof(options);
      options.mode = mode;
      test_arena* const arena = test_arena_create(&options);
      std::vector<std::pair<unsigned char*, size_t>> left;
      for (const size_t size : kSizes) {
        unsigned char* const block =
            Secret(test_arena_malloc(arena, size), size);
        test_free(block);
        EXPECT_FALSE(IsThere(block, size)) << size;
        left.emplace_back(Secret(test_arena_malloc(arena, size), size), size);
      }
      end(arena);
      for (const auto& [block, size] : left)
        EXPECT_FALSE(IsThere(block, size)) << size;
      if (end == test_arena_reset) test_arena_destroy(arena);
    }
  }
}

// A small arena that is made and ended time and again keeps its unit otherwise.
TEST_F(ZeroOnFreeTest, InSmallArenasToo) {
  for (int i = 0; i < 10; ++i) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = i % 2 == 0 ? test_arena_general : test_arena_monotonic;
    test_arena* const arena = test_arena_create(&options);
    unsigned char* const block = Secret(test_arena_malloc(arena, 100), 100);
    test_arena_destroy(arena);
    EXPECT_FALSE(IsThere(block, 100)) << i;
  }
}

TEST_F(ZeroOnFreeTest, WithoutTheSystemsHelp) {
  const ScopedFailures failures(Primitive::kPurge, Failures::Always());
  for (const size_t size : kSizes) {
    unsigned char* const block = Secret(test_malloc(size), size);
    test_free(block);
    EXPECT_FALSE(IsThere(block, size)) << size;
  }
}

TEST_F(ZeroOnFreeTest, ByAThreadThatCanGetNoHeap) {
  unsigned char* const block = Secret(test_malloc(100), 100);
  const ScopedFailures failures(Primitive::kMap, Failures::Always());
  std::thread([&] {
    test_free(block);
    fake::Farewell();
  }).join();
  EXPECT_FALSE(IsThere(block, 100));
}

// It would reach into the next block.
TEST_F(ZeroOnFreeTest, AFreeInsideABlockStops) {
  EXPECT_MISUSE(
      {
        auto* const block = static_cast<char*>(test_malloc(100)) + 8;
        Blame(block);
        test_free(block);
      },
      "free inside a block at");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
