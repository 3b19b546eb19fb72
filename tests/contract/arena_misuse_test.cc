// One test for each misuse of the blocks of an arena that lives, with the lines
// of blocks elsewhere. What only the debug preset notices at once is noticed at
// the latest when the thread's cache gives the block back.
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/messages.h"

namespace contract {
namespace {

class ArenaMisuseDeathTest : public ArenaModesTest {
 protected:
  void SetUp() override {
    ArenaModesTest::SetUp();
    subject::ArenaOptions options = Options();
    options.name = "victim";
    arena_ = subject::arena_create(&options);
    ASSERT_NE(arena_, nullptr);
  }
  void TearDown() override {
    subject::arena_destroy(arena_);
    ArenaModesTest::TearDown();
  }
  void* Allocate(size_t size) { return subject::arena_malloc(arena_, size); }

  subject::Arena* arena_ = nullptr;
};

char* Inside(void* block, size_t offset) {
  return static_cast<char*>(block) + offset;
}

// Frees, and has the cache give everything back.
void FreeForGood(std::vector<void*> blocks) {
  for (void* const block : blocks) subject::free(block);
  subject::thread_detach();
}

// The line, with or without the block's size.
auto WithOrWithoutSize(const char* what, void* block, size_t size) {
  return testing::AnyOf(Line(what, block), Line(what, block, OfBytes(size)));
}

TEST_P(ArenaMisuseDeathTest, DoubleFree) {
  for (const size_t size : {size_t{64}, size_t{1024}, 40 * kKiB}) {
    void* const kept = Allocate(size);
    void* const block = Allocate(size);
    const auto line = WithOrWithoutSize(kDoubleFree, block,
                                        subject::malloc_usable_size(block));
    EXPECT_STOPS_LIKE(FreeForGood({block, block}), line);
    EXPECT_STOPS_LIKE(
        {
          FreeForGood({block});
          FreeForGood({block});
        },
        line);
    FreeForGood({kept, block});
  }
}

TEST_P(ArenaMisuseDeathTest, DoubleFreeByTwoThreads) {
  void* const kept = Allocate(64);
  void* const block = Allocate(64);
  EXPECT_STOPS_LIKE(
      {
        std::thread([block] { FreeForGood({block}); }).join();
        FreeForGood({block});
      },
      WithOrWithoutSize(kDoubleFree, block, 64));
  EXPECT_STOPS_LIKE(
      {
        std::thread([block] { FreeForGood({block}); }).join();
        std::thread([block] { FreeForGood({block}); }).join();
      },
      WithOrWithoutSize(kDoubleFree, block, 64));
  FreeForGood({kept, block});
}

TEST_P(ArenaMisuseDeathTest, DoubleFreeOfALargeBlock) {
  for (const size_t size : {200 * kKiB, 2 * kMiB}) {
    void* const block = Allocate(size);
    EXPECT_STOPS_LIKE(
        FreeForGood({block, block}),
        testing::AnyOf(WithOrWithoutSize(kDoubleFree, block,
                                         subject::malloc_usable_size(block)),
                       Line(kFreeNoBlock, block)));
    subject::free(block);
  }
}

TEST_P(ArenaMisuseDeathTest, FreeInsideABlock) {
  for (const size_t size :
       {size_t{100}, size_t{1024}, 40 * kKiB, 200 * kKiB, 2 * kMiB}) {
    void* const block = Allocate(size);
    for (void* const inside :
         {Inside(block, 16), Inside(block, size / 2 / 16 * 16)}) {
      EXPECT_STOPS(FreeForGood({inside}), Line(kFreeInside, inside));
    }
    subject::free(block);
  }
}

// An odd address is in a block, too.
TEST_P(ArenaMisuseDeathTest, FreeOfAnOddAddress) {
  for (const size_t size : {size_t{100}, 40 * kKiB, 2 * kMiB}) {
    void* const block = Allocate(size);
    EXPECT_STOPS(FreeForGood({Inside(block, 1)}),
                 Line(kFreeInside, Inside(block, 1)));
    EXPECT_STOPS(FreeForGood({Inside(block, size - 1)}),
                 Line(kFreeInside, Inside(block, size - 1)));
  }
}

TEST_P(ArenaMisuseDeathTest, FreeOfABlockNeverAllocated) {
  void* const block = Allocate(64);
  void* const never = Inside(block, 64 * 200);
  EXPECT_STOPS(FreeForGood({never}), Line(kFreeNeverAllocated, never));
  subject::free(block);
}

TEST_P(ArenaMisuseDeathTest, SizeAndReallocInsideABlock) {
  for (const size_t size : {size_t{100}, 40 * kKiB, 200 * kKiB, 2 * kMiB}) {
    void* const block = Allocate(size);
    void* const inside = Inside(block, 16);
    EXPECT_STOPS(subject::malloc_usable_size(inside), Line(kUseInside, inside));
    EXPECT_STOPS(subject::realloc(inside, 10), Line(kUseInside, inside));
    subject::free(block);
  }
}

TEST_P(ArenaMisuseDeathTest, SizedFreesWithAnother) {
  for (const size_t size : {size_t{100}, 40 * kKiB, 2 * kMiB}) {
    void* const block = Allocate(size);
    EXPECT_STOPS_LIKE(
        {
          subject::free_sized(block, size * 3);
          subject::thread_detach();
        },
        WithOrWithoutSize(kWrongSize, block,
                          subject::malloc_usable_size(block)));
    subject::free(block);
  }
}

// ---- Blocks of somebody else ----

TEST_P(ArenaMisuseDeathTest, ReallocOfAnotherHeapsBlock) {
  ScopedArena other(Options());
  for (const size_t size : {size_t{100}, 40 * kKiB, 200 * kKiB, 2 * kMiB}) {
    for (void* const block :
         {subject::malloc(size), subject::arena_malloc(other, size)}) {
      const std::string line = Says(ReallocIn(TextOf(arena_), Hex(block)));
      EXPECT_STOPS(subject::arena_realloc(arena_, block, 50), line);
      EXPECT_STOPS(subject::arena_realloc(arena_, block, 4 * kMiB), line);
      EXPECT_STOPS(subject::arena_reallocarray(arena_, block, 5, 10), line);
      subject::free(block);
    }
  }
}

TEST_P(ArenaMisuseDeathTest, ReallocInOneWithoutAName) {
  ScopedArena nameless(Options());
  void* const block = Allocate(100);
  EXPECT_STOPS(
      subject::arena_realloc(nameless, block, 50),
      Says(ReallocIn(ArenaText(StatsOf(nameless).number, ""), Hex(block))));
}

TEST_P(ArenaMisuseDeathTest, ReallocOfAParentsOrAChildsBlock) {
  subject::ArenaOptions options = Options();
  options.parent = arena_;
  ScopedArena child(options);
  void* const parents = Allocate(100);
  void* const childs = subject::arena_malloc(child, 100);
  EXPECT_STOPS(subject::arena_realloc(child, parents, 50),
               Says(ReallocIn(TextOf(child), Hex(parents))));
  EXPECT_STOPS(subject::arena_realloc(arena_, childs, 50),
               Says(ReallocIn(TextOf(arena_), Hex(childs))));
}

TEST_P(ArenaMisuseDeathTest, ReallocOfForeignMemory) {
  int local = 0;
  EXPECT_STOPS_LIKE(
      subject::arena_realloc(arena_, &local, 50),
      testing::AnyOf(Line(kUseForeign, &local),
                     Says(ReallocIn(TextOf(arena_), Hex(&local)))));
}

INSTANTIATE_IN_BOTH_MODES(ArenaMisuseDeathTest);

}  // namespace
}  // namespace contract
