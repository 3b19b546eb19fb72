// The smallest program for each misuse that every configuration notices, and
// the line that it ends with. What only `check_invariants` notices at once is
// in checks_test.cc.
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

constexpr char kDoubleFree[] = "double free of";
constexpr char kFreeInside[] = "free inside a block at";
constexpr char kNeverAllocated[] = "free of a block never allocated at";
constexpr char kNoBlock[] = "free of memory that is in no block, at";
constexpr char kForeign[] = "free of memory that is not this instance's, at";
constexpr char kUseNoBlock[] =
    "size or realloc asked of memory that is in no block, at";
constexpr char kUseInside[] =
    "size or realloc asked of the inside of a block at";
constexpr char kUseForeign[] =
    "size or realloc asked of memory that is not this instance's, at";
constexpr char kWrongSize[] = "sized free with a size that cannot be that of";
constexpr char kWrongAlignment[] =
    "sized free with an alignment that cannot be that of";

class MisuseDeathTest : public InstanceTest {
 protected:
  ~MisuseDeathTest() override = default;

  static char* Block(size_t size) {
    char* const block = static_cast<char*>(test_malloc(size));
    Blame(block);
    return block;
  }
};

// ---- free ----

TEST_F(MisuseDeathTest, FreeOfForeignMemory) {
  int on_stack = 0;
  EXPECT_MISUSE(
      {
        Blame(&on_stack);
        test_free(&on_stack);
      },
      kForeign);
  EXPECT_MISUSE(
      {
        test_free(test_malloc(1));
        Blame(&on_stack);
        test_free(&on_stack);
      },
      kForeign);
  EXPECT_MISUSE(
      {
        test_malloc(1);
        void* p = malloc(1);
        Blame(p);
        test_free(p);
      },
      kForeign);
}

TEST_F(MisuseDeathTest, FreeOfAUnitInNoBlock) {
  EXPECT_MISUSE(
      {
        char* p = Block(1) + 5 * kUnit;
        Blame(p);
        test_free(p);
      },
      kNoBlock);
}

TEST_F(MisuseDeathTest, FreeInsideALargeBlock) {
  EXPECT_MISUSE(
      {
        char* p = Block(20 * kUnit) + kUnit;
        Blame(p);
        test_free(p);
      },
      kFreeInside);
  EXPECT_MISUSE(
      {
        char* p = Block(20 * kUnit) + 16;
        Blame(p);
        test_free(p);
      },
      kFreeInside);
  EXPECT_MISUSE(
      {
        char* p = Block(3 * kUnit) + 2 * kUnit + 8;
        Blame(p);
        test_free(p);
      },
      kFreeInside);
}

TEST_F(MisuseDeathTest, DoubleFreeOfAHugeBlock) {
  EXPECT_MISUSE(
      {
        char* p = Block(40 * kUnit);
        test_free(p);
        test_free(p);
      },
      kNoBlock);
}

// A free one that a cache keeps is none that may be used.
TEST_F(MisuseDeathTest, UseOfAFreedHugeBlock) {
  EXPECT_MISUSE(
      {
        char* p = Block(40 * kUnit);
        test_free(p);
        EXPECT_EQ(test_owns(p), 0);
        test_malloc_usable_size(p);
      },
      kUseNoBlock);
}

// What a cache holds is looked at when it is given back.
TEST_F(MisuseDeathTest, DoubleFreeIsNoticedWhenTheCacheIsGivenBack) {
  EXPECT_MISUSE(
      {
        char* p = Block(100);
        test_free(p);
        test_free(p);
        test_thread_detach();
      },
      kDoubleFree, Config::kCheckInvariants ? "" : BlockOf(112));
}

TEST_F(MisuseDeathTest, DoubleFreeOfABlockWhoseSlabIsGone) {
  EXPECT_MISUSE(
      {
        char* p = Block(64);
        test_free(p);
        test_thread_detach();
        test_free(p);
      },
      kNoBlock);
}

// The span of a slab of large blocks waits in a cache for the next one.
TEST_F(MisuseDeathTest, DoubleFreeOfABlockWhoseSlabIsCached) {
  for (const size_t which : {size_t{0}, size_t{5}}) {
    EXPECT_MISUSE(
        {
          char* blocks[100];
          for (char*& block : blocks) block = Block(40000);
          const Range* const range = g_instance.region.RangeOf(blocks[50]);
          char* const first =
              SlabAt(*range, blocks[50], EntryOf(*range, blocks[50]))->start;
          for (char* block : blocks) test_free(block);
          char* const p = first + which * 40960;
          Blame(p);
          test_free(p);
        },
        kNoBlock);
  }
}

TEST_F(MisuseDeathTest, DoubleFreeOfABlockWhoseSlabIsInUse) {
  EXPECT_MISUSE(
      {
        test_malloc(64);  // keeps the slab
        char* p = Block(64);
        test_free(p);
        test_thread_detach();
        test_free(p);
        test_thread_detach();
      },
      kDoubleFree, BlockOf(64));
}

// The inlined path puts whatever its caller trusts into the bin.
TEST_F(MisuseDeathTest, ForeignMemoryInABin) {
  EXPECT_MISUSE(
      {
        test_free(test_malloc(100));
        static int object;
        Blame(&object);
        CurrentHeap()->bin(ClassOfSize(100)).PushOwn(&object);
        test_thread_detach();
      },
      "free of memory that is not this instance's, at");
}

TEST_F(MisuseDeathTest, FreeInsideASmallBlock) {
  for (const size_t size : {16, 112, 1000, 5000, 40000}) {
    EXPECT_MISUSE(
        {
          char* p = Block(size) + 8;
          Blame(p);
          test_free(p);
          test_thread_detach();
        },
        kFreeInside);
  }
}

TEST_F(MisuseDeathTest, FreeBehindTheLastBlockOfASlab) {
  // 448-byte blocks leave 128 bytes of a unit.
  EXPECT_MISUSE(
      {
        char* p = Block(448) + 146 * 448;
        Blame(p);
        test_free(p);
        test_thread_detach();
      },
      kFreeInside);
}

TEST_F(MisuseDeathTest, FreeOfABlockNeverAllocated) {
  EXPECT_MISUSE(
      {
        char* p = Block(16) + 1000 * 16;
        Blame(p);
        test_free(p);
        test_thread_detach();
      },
      kNeverAllocated);
}

TEST_F(MisuseDeathTest, DoubleFreeOfACachedSpan) {
  EXPECT_MISUSE(
      {
        char* p = Block(3 * kUnit);
        test_free(p);
        test_free(p);
        test_thread_detach();
      },
      kDoubleFree);
}

TEST_F(MisuseDeathTest, DoubleFreeByAnotherThread) {
  EXPECT_MISUSE(
      {
        char* p = Block(500);
        std::thread([p] {
          test_free(test_malloc(1));
          test_free(p);
          test_free(p);
          test_thread_detach();
        }).join();
      },
      kDoubleFree, Config::kCheckInvariants ? "" : BlockOf(512));
}

TEST_F(MisuseDeathTest, DoubleFreeByTwoThreads) {
  EXPECT_MISUSE(
      {
        char* p = Block(500);
        for (int i = 0; i < 2; ++i) {
          std::thread([p] {
            test_free(test_malloc(1));
            test_free(p);
            test_thread_detach();
          }).join();
        }
      },
      kDoubleFree, BlockOf(512));
}

TEST_F(MisuseDeathTest, DoubleFreeByOwnerAndAnother) {
  EXPECT_MISUSE(
      {
        test_malloc(500);  // keeps the slab
        char* p = Block(500);
        test_free(p);
        CurrentHeap()->Drain();
        std::thread([p] {
          test_free(test_malloc(1));
          test_free(p);
          test_thread_detach();
        }).join();
        CurrentHeap()->Collect();
      },
      kDoubleFree, BlockOf(512));
}

// ---- realloc and malloc_usable_size ----

TEST_F(MisuseDeathTest, UseOfForeignMemory) {
  int on_stack = 0;
  EXPECT_MISUSE(
      {
        Blame(&on_stack);
        test_malloc_usable_size(&on_stack);
      },
      kUseForeign);
  EXPECT_MISUSE(
      {
        Blame(&on_stack);
        [[maybe_unused]] void* p = test_realloc(&on_stack, 10);
      },
      kUseForeign);
}

TEST_F(MisuseDeathTest, UseOfMemoryInNoBlock) {
  EXPECT_MISUSE(
      {
        char* p = Block(1) + 5 * kUnit;
        Blame(p);
        test_malloc_usable_size(p);
      },
      kUseNoBlock);
  EXPECT_MISUSE(
      {
        char* p = Block(40 * kUnit);
        test_free(p);
        [[maybe_unused]] void* q = test_realloc(p, 100);
      },
      kUseNoBlock);
}

TEST_F(MisuseDeathTest, UseOfTheInside) {
  EXPECT_MISUSE(
      {
        char* p = Block(100) + 1;
        Blame(p);
        test_malloc_usable_size(p);
      },
      kUseInside);
  EXPECT_MISUSE(
      {
        char* p = Block(20 * kUnit) + kUnit;
        Blame(p);
        [[maybe_unused]] void* q = test_realloc(p, 10);
      },
      kUseInside);
  EXPECT_MISUSE(
      {
        char* p = Block(3 * kUnit) + 16;
        Blame(p);
        test_malloc_usable_size(p);
      },
      kUseInside);
}

// ---- Sized frees ----

TEST_F(MisuseDeathTest, WrongSize) {
  EXPECT_MISUSE(test_free_sized(Block(100), 113), kWrongSize, BlockOf(112));
  EXPECT_MISUSE(test_free_sized(Block(1000), 100), kWrongSize, BlockOf(1024));
  EXPECT_MISUSE(test_free_sized(Block(100000), 10), kWrongSize,
                BlockOf(131072));
  EXPECT_MISUSE(test_free_sized(Block(100), ~size_t{0}), kWrongSize,
                BlockOf(112));
  EXPECT_MISUSE(test_free_aligned_sized(Block(100), 16, 113), kWrongSize,
                BlockOf(112));
}

TEST_F(MisuseDeathTest, WrongAlignment) {
  EXPECT_MISUSE(
      {
        test_malloc(48);
        test_free_aligned_sized(Block(48), 4096, 48);
      },
      kWrongAlignment);
  EXPECT_MISUSE(test_free_aligned_sized(Block(48), 3, 48), kWrongAlignment);
  EXPECT_MISUSE(test_free_aligned_sized(Block(48), 0, 48), kWrongAlignment);
}

TEST_F(MisuseDeathTest, SizedFreeOfForeignMemory) {
  int on_stack = 0;
  EXPECT_MISUSE(
      {
        Blame(&on_stack);
        test_free_sized(&on_stack, 4);
      },
      kUseForeign);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
