// What `check_invariants` notices at once, and other configurations later or
// never.
#include "core/heap/checks.h"

#include "core/heap/instance.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class ChecksDeathTest : public InstanceTest {
 protected:
  static char* Block(size_t size) {
    char* const block = static_cast<char*>(test_malloc(size));
    Blame(block);
    return block;
  }
};

TEST_F(ChecksDeathTest, DoubleFree) {
  for (const size_t size : {1, 16, 500, 8192, 8193, 65536, 100000, 1000000}) {
    EXPECT_MISUSE(
        {
          char* p = Block(size);
          test_free(p);
          test_free(p);
        },
        "double free of");
  }
}

TEST_F(ChecksDeathTest, DoubleFreeOfTheFirstBlockOfItsClass) {
  // The bin has no array yet: the first free goes the slow way.
  EXPECT_MISUSE(
      {
        char* p = Block(100);
        test_free(p);
        test_malloc(200);
        test_free(p);
      },
      "double free of");
}

TEST_F(ChecksDeathTest, FreeOfAFreshNeighbour) {
  // In the mask of the bin: taken from the slab but not handed out.
  EXPECT_MISUSE(
      {
        char* p = Block(64) + 64;
        Blame(p);
        test_free(p);
      },
      "double free of");
}

TEST_F(ChecksDeathTest, FreeOfABlockNeverAllocated) {
  EXPECT_MISUSE(
      {
        char* p = Block(16) + 1000 * 16;
        Blame(p);
        test_free(p);
      },
      "free of a block never allocated at");
}

TEST_F(ChecksDeathTest, FreeInside) {
  for (const size_t size : {100, 1000, 20000, 100000, 3000000}) {
    EXPECT_MISUSE(
        {
          char* p = Block(size) + 8;
          Blame(p);
          test_free(p);
        },
        "free inside a block at");
  }
}

TEST_F(ChecksDeathTest, FreedBySomebodyElseBefore) {
  EXPECT_MISUSE(
      {
        test_malloc(500);
        char* p = Block(500);
        std::thread([p] {
          test_free(test_malloc(1));
          test_free(p);
          test_thread_detach();
        }).join();
        test_free(p);
      },
      "double free of", BlockOf(512));
}

TEST_F(ChecksDeathTest, FreedAndGivenBackBefore) {
  EXPECT_MISUSE(
      {
        test_malloc(500);
        char* p = Block(500);
        test_free(p);
        CurrentHeap()->Drain();
        test_free(p);
      },
      "double free of", BlockOf(512));
}

// Whoever has it next finds it, wherever in the block it was, and whoever freed it.
TEST_F(ChecksDeathTest, WriteToFreedMemory) {
  for (const size_t size : {8, 48, 1024, 20480}) {
    for (const size_t at : {size_t{0}, size - 1}) {
      for (const bool by_other : {false, true}) {
        EXPECT_MISUSE(
            {
              auto* const block = static_cast<char*>(test_malloc(size));
              Blame(block + at);
              const auto free = [&] {
                test_free(block);
                fake::Farewell();
              };
              if (by_other) {
                std::thread(free).join();
              } else {
                free();
              }
              block[at] = 1;
              test_purge();  // what the other had cached comes home
              for (int i = 0; i < 10000; ++i) test_malloc(size);
            },
            "write to freed memory at", BlockOf(size));
      }
    }
  }
}

TEST_F(ChecksDeathTest, ZeroedBlocksAreZeroAndLiveOnesHoldAnything) {
  for (int round = 0; round < 3; ++round) {
    std::vector<unsigned char*> blocks;
    for (size_t size = 1; size < 70000; size = size * 5 / 4 + 1) {
      blocks.push_back(static_cast<unsigned char*>(test_calloc(1, size)));
      for (size_t i = 0; i < size; ++i) ASSERT_EQ(blocks.back()[i], 0) << size;
      memset(blocks.back(), 0xff, size);
    }
    for (unsigned char* const block : blocks) test_free(block);
    if (round == 1) test_purge();
  }
}

// A block that is handed out must be one: here somebody wrote to the
// allocator's memory.
TEST_F(ChecksDeathTest, ABinThatWasOverwritten) {
  EXPECT_DEATH(
      {
        char* p = Block(64);
        test_free(p);
        Bin& bin = CurrentHeap()->bin(ClassOfSize(64));
        bin.bottom[0] = p + 8;
        test_malloc(64);
      },
      "internal error: place.is_start does not hold at checks.cc");
}

TEST_F(ChecksDeathTest, ASlabThatWasOverwritten) {
  EXPECT_DEATH(
      {
        char* p = Block(64);
        test_free(p);
        const Range* const range = g_instance.region.RangeOf(p);
        static_cast<Slab*>(range->descriptor(range->IndexOf(p)))->local[0] |= 1;
        test_malloc(64);
      },
      "internal error: .* does not hold at checks.cc");
}

TEST_F(ChecksDeathTest, NothingIsFoundWhereNothingIsWrong) {
  Random random;
  std::vector<void*> blocks;
  for (int i = 0; i < 20000; ++i) {
    if (blocks.size() < 300 && random.Below(2) == 0) {
      blocks.push_back(test_malloc(random.Size(18)));
    } else if (!blocks.empty()) {
      std::swap(blocks[random.Below(blocks.size())], blocks.back());
      test_free(blocks.back());
      blocks.pop_back();
    }
  }
  for (void* block : blocks) test_free(block);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
