// Who is told from whom, among processes that all say that they have the same id.
#include "core/base/fork_generation.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

// Whether all goes well in a child of fork.
template <typename InChild>
bool Fork(InChild in_child) {
  const pid_t child = fork();
  if (child == 0) _exit(in_child() ? 0 : 1);
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

class ForkGenerationTest : public testing::Test {
 protected:
  ~ForkGenerationTest() override {
    generation_.Release();
    EXPECT_EQ(fake::MappedBytes(), mapped_);
    EXPECT_FALSE(generation_.watches());
    EXPECT_EQ(generation_.bytes(), 0u);
  }

  const int64_t mapped_ = fake::MappedBytes();
  ForkGeneration generation_;
};

TEST_F(ForkGenerationTest, IsTheIdToBeginWith) {
  EXPECT_FALSE(generation_.watches());
  EXPECT_EQ(generation_.Current(), platform::CurrentProcess());
  EXPECT_EQ(IdOf(generation_.Current()), platform::CurrentProcess());
  EXPECT_EQ(fake::MappedBytes(), mapped_);
}

TEST_F(ForkGenerationTest, WatchingChangesNothingHere) {
  const Process before = generation_.Current();
  generation_.Watch();
  EXPECT_TRUE(generation_.watches());
  EXPECT_EQ(generation_.Current(), before);
  EXPECT_EQ(generation_.bytes(), platform::PageSize());
  EXPECT_EQ(fake::MappedBytes() - mapped_, int64_t(platform::PageSize()));
  generation_.Watch();
  EXPECT_EQ(fake::MappedBytes() - mapped_, int64_t(platform::PageSize()));
}

TEST_F(ForkGenerationTest, ADescendantOfTheSameIdIsAnother) {
  const fake::ScopedProcess process(100);
  generation_.Watch();
  const Process here = generation_.Current();
  EXPECT_TRUE(Fork([&] {
    const Process child = generation_.Current();
    if (child == here || IdOf(child) != 100) return false;
    if (generation_.Current() != child) return false;
    return Fork([&] {
      const Process grandchild = generation_.Current();
      return grandchild != child && grandchild != here;
    });
  }));
  EXPECT_EQ(generation_.Current(), here);
}

// One that forks on without having looked which process it is.
TEST_F(ForkGenerationTest, ADescendantOfASilentChildIsAnother) {
  const fake::ScopedProcess process(100);
  generation_.Watch();
  const Process here = generation_.Current();
  EXPECT_TRUE(Fork([&] {
    return Fork([&] { return generation_.Current() != here; }) &&
           generation_.Current() != here;
  }));
}

TEST_F(ForkGenerationTest, TheThreadsOfAChildAgree) {
  const fake::ScopedProcess process(100);
  generation_.Watch();
  const Process here = generation_.Current();
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(Fork([&] {
      Process seen[4];
      RunThreads(4, [&](unsigned t) { seen[t] = generation_.Current(); });
      for (const Process one : seen) {
        if (one != seen[0] || one == here) return false;
      }
      return generation_.Current() == seen[0];
    }));
  }
}

TEST_F(ForkGenerationTest, OfManyWhoWatchOneDoes) {
  for (int round = 0; round < 50; ++round) {
    RunThreads(4, [&](unsigned) { generation_.Watch(); });
    ASSERT_EQ(fake::MappedBytes() - mapped_, int64_t(platform::PageSize()));
    generation_.Release();
  }
}

// An earlier life's generations are not used again: a thread may still be about
// to count itself in one (thread_exit.cc).
TEST_F(ForkGenerationTest, GoesOnAfterARelease) {
  const fake::ScopedProcess process(100);
  generation_.Watch();
  const Process here = generation_.Current();
  EXPECT_TRUE(Fork([&] {
    const Process child = generation_.Current();
    generation_.Release();
    if (generation_.Current() != child) return false;
    generation_.Watch();
    return generation_.Current() == child && child != here;
  }));
}

TEST_F(ForkGenerationTest, WithoutAPageIdsHaveToDo) {
  const Process here = generation_.Current();
  {
    const ScopedFailures failures(Primitive::kMapWipedByFork,
                                  Failures::Always());
    generation_.Watch();
    EXPECT_FALSE(generation_.watches());
    EXPECT_EQ(generation_.Current(), here);
    EXPECT_TRUE(Fork([&] { return generation_.Current() != here; }));
  }
  generation_.Watch();
  EXPECT_TRUE(generation_.watches());
  EXPECT_EQ(generation_.Current(), here);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
