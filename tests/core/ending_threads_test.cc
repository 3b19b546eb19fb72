// Who is counted at his end, where processes fork in the middle of it.
#include "core/api/ending_threads.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr uint32_t kParent = EndingThreads::MarkOf(100);
constexpr uint32_t kChild = EndingThreads::MarkOf(101);

TEST(EndingThreadsTest, CountsInAndOut) {
  EndingThreads ending;
  EXPECT_TRUE(ending.None(kParent));
  ending.Enter(kParent);
  ending.Enter(kParent);
  EXPECT_FALSE(ending.None(kParent));
  ending.Leave(kParent);
  EXPECT_FALSE(ending.None(kParent));
  ending.Leave(kParent);
  EXPECT_TRUE(ending.None(kParent));
}

TEST(EndingThreadsTest, AParentsAreNotThere) {
  EndingThreads ending;
  ending.Enter(kParent);
  ending.Enter(kParent);
  EXPECT_TRUE(ending.None(kChild));
  ending.Enter(kChild);
  EXPECT_FALSE(ending.None(kChild));
  ending.Leave(kChild);
  EXPECT_TRUE(ending.None(kChild));
}

// It forked there, and in the child others came before it went on.
TEST(EndingThreadsTest, OneThatForkedThereIsNotCountedOutOfTheChilds) {
  EndingThreads ending;
  ending.Enter(kParent);
  ending.Enter(kChild);
  ending.Leave(kParent);
  EXPECT_FALSE(ending.None(kChild)) << "one is there still";
  ending.Leave(kChild);
  EXPECT_TRUE(ending.None(kChild));
  ending.Enter(kChild);
  EXPECT_FALSE(ending.None(kChild));
}

TEST(EndingThreadsTest, ADescendantOfTheSameIdIsAnother) {
  for (uint64_t generation = 1; generation < 1000; ++generation)
    EXPECT_NE(EndingThreads::MarkOf(generation << 32 | 100), kParent);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
