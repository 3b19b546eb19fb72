#include "leaks/leaks.h"

#include <string>

#include "absl/debugging/symbolize.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/leaks/leaky_heap.h"

// Not static, so that they have names wherever the symbolizer looks.
[[gnu::noinline]] void* LoadTheIndex() {
  void* const block = leaky_malloc(1000);
  asm volatile("" ::: "memory");
  return block;
}
[[gnu::noinline]] void* OpenASession(leaky_arena* arena) {
  void* const block = leaky_arena_calloc(arena, 1, 70);
  asm volatile("" ::: "memory");
  return block;
}

namespace {

using alcove::DescribeLeaks;
using alcove::FindLeaks;
using alcove::LeakSite;

class LeaksTest : public testing::Test {
 protected:
  LeaksTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~LeaksTest() override { leaky_shutdown(); }
};

TEST_F(LeaksTest, NoneIsNoText) {
  leaky_free(LoadTheIndex());
  EXPECT_EQ(FindLeaks(leaky_visit_blocks).size(), 0u);
  EXPECT_EQ(DescribeLeaks(leaky_visit_blocks), "");
}

TEST_F(LeaksTest, OneSiteForEachPlaceThatAllocated) {
  void* blocks[3];
  for (void*& block : blocks) block = LoadTheIndex();
  leaky_arena* const arena = leaky_arena_create(nullptr);
  OpenASession(arena);
  const std::vector<LeakSite> sites = FindLeaks(leaky_visit_blocks);
  ASSERT_EQ(sites.size(), 2u);
  EXPECT_EQ(sites[0].blocks, 3u);
  EXPECT_EQ(sites[0].bytes, 3000u);
  EXPECT_EQ(sites[1].blocks, 1u);
  EXPECT_EQ(sites[1].bytes, 70u);
  EXPECT_GE(sites[0].frames.size(), 3u) << "out to main";
  for (void* const block : blocks) leaky_free(block);
  leaky_arena_destroy(arena);
}

TEST_F(LeaksTest, FunctionsHaveNames) {
  void* const block = LoadTheIndex();
  const std::string text = DescribeLeaks(leaky_visit_blocks);
  EXPECT_THAT(text,
              testing::StartsWith("1000 bytes in 1 blocks allocated at\n"));
  EXPECT_THAT(text, testing::HasSubstr(" LoadTheIndex()\n"));
  EXPECT_LT(text.find("LoadTheIndex"), text.find("FunctionsHaveNames"));
  EXPECT_THAT(text, testing::HasSubstr(" main\n"));
  leaky_free(block);
}

// The line without the library: addresses only.
TEST_F(LeaksTest, ShutdownSaysTheSameInAddresses) {
  EXPECT_EXIT(
      {
        LoadTheIndex();
        leaky_shutdown();
        exit(0);
      },
      testing::ExitedWithCode(0),
      testing::ContainsRegex(
          "alcove.leaky_.: leak of 0x[0-9a-f]* .a block of 1000 bytes., "
          "allocated at 0x[0-9a-f]* 0x[0-9a-f]* .*\n"
          "alcove.leaky_.: 1 blocks of 1000 bytes were not freed\n"));
}

}  // namespace

int main(int argc, char** argv) {
  absl::InitializeSymbolizer(argv[0]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
