// A child of fork goes on with the arenas that its parent had: uses them, makes
// its own, destroys both; and the parent notices nothing.
#include <sys/wait.h>
#include <unistd.h>

#include <iterator>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/crew.h"

namespace contract {
namespace {

using ArenaForkTest = ArenaModesTest;

// What the child did, if not all was well: in a child GoogleTest's messages
// would come to nothing.
#define CHECK_CHILD(condition) \
  if (!(condition)) return __LINE__

constexpr size_t kSizes[] = {16, 100, 1000, 40 * kKiB, 200 * kKiB, 2 * kMiB};
using Blocks = std::vector<void*>;

Blocks Make(subject::Arena* arena, uint64_t seed) {
  Blocks blocks;
  for (const size_t size : kSizes) {
    blocks.push_back(subject::arena_malloc(arena, size));
    if (blocks.back() != nullptr) Fill(blocks.back(), size, seed + size);
  }
  return blocks;
}

bool Hold(const Blocks& blocks, uint64_t seed) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i] == nullptr || !Holds(blocks[i], kSizes[i], seed + kSizes[i]))
      return false;
  }
  return true;
}

// Line of what failed in the child, or 0; the child's end if it died.
template <typename Work>
int InAChild(const Work& work) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    const int line = work();
    _exit(write(ends[1], &line, sizeof(line)) == sizeof(line) ? 0 : 1);
  }
  close(ends[1]);
  int line = -2;
  if (read(ends[0], &line, sizeof(line)) != sizeof(line)) line = -3;
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) line = -4;
  return line;
}

TEST_P(ArenaForkTest, InheritedArenasAreUsedAndDestroyed) {
  ScopedArena used(Options());
  ScopedArena reset(Options());
  ScopedArena destroyed(Options());
  const Blocks in_used = Make(used, 1);
  const Blocks in_reset = Make(reset, 2);
  const Blocks in_destroyed = Make(destroyed, 3);
  const auto work = [&] {
    CHECK_CHILD(GetStats().arenas == 3);
    CHECK_CHILD(Hold(in_used, 1));
    CHECK_CHILD(Hold(in_destroyed, 3));
    // Uses one, from before and anew.
    const Blocks more = Make(used, 4);
    CHECK_CHILD(Hold(more, 4) && Hold(in_used, 1));
    for (void* const block : in_used) subject::free(block);
    CHECK_CHILD(StatsOf(used).blocks_live == more.size());
    subject::arena_reset(reset);
    const Blocks after = Make(reset, 5);
    CHECK_CHILD(StatsOf(reset).blocks_live == after.size());
    subject::arena_destroy(destroyed);
    CHECK_CHILD(subject::owns(in_destroyed[0]) == 0);
    // Makes its own, and others after these.
    for (int i = 0; i < 50; ++i) {
      const subject::ArenaOptions options = Options();
      subject::Arena* const own = subject::arena_create(&options);
      CHECK_CHILD(own != nullptr);
      const Blocks blocks = Make(own, 6);
      CHECK_CHILD(Hold(blocks, 6));
      subject::arena_destroy(own);
    }
    CHECK_CHILD(Hold(more, 4) && Hold(after, 5));
    CHECK_CHILD(GetStats().arenas == 2);
    return 0;
  };
  EXPECT_EQ(InAChild(work), 0);
  EXPECT_TRUE(Hold(in_used, 1));
  EXPECT_TRUE(Hold(in_reset, 2));
  EXPECT_TRUE(Hold(in_destroyed, 3));
  EXPECT_EQ(GetStats().arenas, 3u);
  EXPECT_TRUE(Hold(Make(used, 7), 7));
}

// The caches that other threads of the parent had are nobody's in the child:
// counts are right, blocks are free for all, and the arenas end as elsewhere.
TEST_P(ArenaForkTest, CachesOfThreadsThatAreNotThere) {
  Crew crew(3);
  ScopedArena arena(Options());
  std::vector<Blocks> blocks(crew.size());
  crew.Do([&](int t) {
    blocks[t] = Make(arena, t);
    const Blocks freed = Make(arena, 9);
    for (void* const block : freed) subject::free(block);
  });
  const size_t live = StatsOf(arena).blocks_live;
  EXPECT_EQ(live, 3 * std::size(kSizes));
  const auto work = [&] {
    CHECK_CHILD(StatsOf(arena).blocks_live == live);
    for (size_t t = 0; t < blocks.size(); ++t) {
      CHECK_CHILD(Hold(blocks[t], t));
      for (void* const block : blocks[t]) subject::free(block);
    }
    CHECK_CHILD(StatsOf(arena).blocks_live == 0);
    CHECK_CHILD(subject::arena_visit_blocks(
                    arena, [](void*, size_t, void*) {}, nullptr) == 0);
    CHECK_CHILD(Hold(Make(arena, 8), 8));
    subject::arena_reset(arena);
    CHECK_CHILD(Hold(Make(arena, 8), 8));
    subject::arena_destroy(arena);
    CHECK_CHILD(GetStats().arenas == 0);
    return 0;
  };
  EXPECT_EQ(InAChild(work), 0);
  crew.Do([&](int t) {
    EXPECT_TRUE(Hold(blocks[t], t));
    EXPECT_TRUE(Hold(Make(arena, t), t));
  });
}

TEST_P(ArenaForkTest, TheChildEndsWithAShutdown) {
  ScopedArena parent(Options());
  subject::ArenaOptions options = Options();
  options.parent = parent;
  ScopedArena child(options);
  Make(parent, 1);
  Make(child, 2);
  const auto work = [&] {
    CHECK_CHILD(subject::shutdown() == 0);
    CHECK_CHILD(GetStats().arenas == 0);
    CHECK_CHILD(GetStats().bytes_reserved == 0);
    subject::Arena* const own = subject::arena_create(nullptr);
    CHECK_CHILD(Hold(Make(own, 3), 3));
    subject::arena_destroy(own);
    return subject::shutdown() == 0 ? 0 : __LINE__;
  };
  EXPECT_EQ(InAChild(work), 0);
  child.Forget();
  parent.Destroy();
}

INSTANTIATE_IN_BOTH_MODES(ArenaForkTest);

}  // namespace
}  // namespace contract
