// With `random_placement` the next block is not to be foreseen.
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "core/api/allocate.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

static_assert(Config::kRandomPlacement);

class PlacementTest : public InstanceTest {
 protected:
  static std::vector<uintptr_t> Take(unsigned n, size_t size) {
    std::vector<uintptr_t> blocks;
    for (unsigned i = 0; i < n; ++i)
      blocks.push_back(AddressOf(test_malloc(size)));
    return blocks;
  }
  // How many of them lie right behind the one before.
  static unsigned Neighbours(const std::vector<uintptr_t>& blocks) {
    const size_t size = SizeIn(
        *g_instance.region.RangeOf(reinterpret_cast<void*>(blocks[0])),
        reinterpret_cast<void*>(blocks[0]),
        EntryOf(*g_instance.region.RangeOf(reinterpret_cast<void*>(blocks[0])),
                reinterpret_cast<void*>(blocks[0])));
    unsigned count = 0;
    for (size_t i = 1; i < blocks.size(); ++i)
      count += blocks[i] == blocks[i - 1] + size ? 1 : 0;
    return count;
  }
};

// By chance 1 of 500 follows the one before.
TEST_F(PlacementTest, BlocksDoNotFollowEachOther) {
  EXPECT_LT(Neighbours(Take(100, 100)), 10u);
  test_arena* const arena = test_arena_create(nullptr);
  std::vector<uintptr_t> blocks;
  for (int i = 0; i < 100; ++i)
    blocks.push_back(AddressOf(test_arena_malloc(arena, 100)) % kUnit);
  unsigned ascending = 0;
  for (size_t i = 1; i < blocks.size(); ++i)
    ascending += blocks[i] > blocks[i - 1] ? 1 : 0;
  EXPECT_GT(ascending, 20u);
  EXPECT_LT(ascending, 80u);
  test_arena_destroy(arena);
}

// An attacker frees a block and hopes to get its memory with the next allocation.
TEST_F(PlacementTest, AFreedBlockIsNotTheNextOne) {
  std::vector<void*> spray;
  for (int i = 0; i < 50; ++i) spray.push_back(test_malloc(100));
  unsigned hits = 0;
  for (int i = 0; i < 200; ++i) {
    void* const victim = test_malloc(100);
    test_free(victim);
    void* const next = test_malloc(100);
    hits += next == victim ? 1 : 0;
    test_free(next);
  }
  EXPECT_LT(hits, 20u);
  for (void* block : spray) test_free(block);
}

TEST_F(PlacementTest, AllOfASlabIsUsed) {
  for (const size_t size : {8, 16, 100, 8000, 20000}) {
    const SizeClass c = ClassOfSize(size + kCanaryBytes);
    std::set<void*> blocks;
    std::set<Slab*> slabs;
    for (unsigned i = 0; i < InfoOf(c).blocks; ++i) {
      void* const block = test_malloc(size);
      EXPECT_TRUE(blocks.insert(block).second);
      const Range* const range = g_instance.region.RangeOf(block);
      slabs.insert(SlabAt(*range, block, EntryOf(*range, block)));
    }
    EXPECT_EQ(slabs.size(), 1u);
    for (void* block : blocks) test_free(block);
  }
}

TEST_F(PlacementTest, EachLifeAndEachChildHasItsOwn) {
  std::set<uintptr_t> first;
  for (int life = 0; life < 6; ++life) {
    first.insert(AddressOf(test_malloc(16)) % kUnit);
    ASSERT_EQ(test_shutdown(), 0);
  }
  EXPECT_GT(first.size(), 2u);
  test_malloc(16);
  std::set<uintptr_t> of_children;
  for (int i = 0; i < 6; ++i) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      const uintptr_t place = AddressOf(test_malloc(16)) % kUnit;
      _exit(write(ends[1], &place, sizeof(place)) == sizeof(place) ? 0 : 1);
    }
    uintptr_t place;
    ASSERT_EQ(read(ends[0], &place, sizeof(place)), ssize_t{sizeof(place)});
    of_children.insert(place);
    int status;
    waitpid(child, &status, 0);
    close(ends[0]);
    close(ends[1]);
  }
  EXPECT_GT(of_children.size(), 2u);
}

TEST_F(PlacementTest, WithoutEntropyItGoesOn) {
  const ScopedFailures failures(Primitive::kEntropy, Failures::Always());
  EXPECT_LT(Neighbours(Take(100, 100)), 10u);
}

TEST_F(PlacementTest, SeveralThreads) {
  RunThreads(4, [](unsigned) {
    std::vector<void*> blocks;
    for (int i = 0; i < 500; ++i) blocks.push_back(test_malloc(48));
    for (void* block : blocks) test_free(block);
    test_thread_detach();
  });
  test_thread_detach();
  EXPECT_EQ(Stats().blocks_live, 0u);
  EXPECT_EQ(Stats().bytes_spans, 0u);
}

// All that is freed is in a slab's bits or waits, where a second free is noticed.
TEST_F(PlacementTest, ADoubleFreeIsNoticedAtOnce) {
  EXPECT_MISUSE(
      {
        test_malloc(100);
        void* const block = test_malloc(100);
        Blame(block);
        test_free(block);
        test_free(block);
      },
      "double free of", Config::kReuseDelay != 0 ? "" : BlockOf(112));
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
