// With `canaries` a write past the end of a block is noticed, wherever the block
// came from and whoever asks.
#include <functional>

#include "core/api/allocate.h"
#include "tests/core/misuse.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

static_assert(Config::kCanaries);

constexpr char kPastEnd[] = "write past the end of";
constexpr char kDoubleFree[] = "double free of";

// Of slabs of one unit and of several, and of spans.
constexpr size_t kSizes[] = {0,     1,     8,     24,     100,    1024,  5000,
                             20000, 65528, 65529, 100000, 131072, 700000};

class PastEndTest : public InstanceTest {
 protected:
  static char* Block(size_t size) {
    char* const block = static_cast<char*>(test_malloc(size));
    Blame(block);
    return block;
  }
  // What a block says that was asked for if the byte behind that is changed.
  static size_t Known(size_t size) {
    if (size > kSlabMax - 8) return size;
    const size_t extent = InfoOf(ClassOfSize(size + 8)).size;
    return size + 8 == extent ? extent : size;
  }
  static test_arena* NewArena(uint32_t mode) {
    test_arena_options options = {};
    options.struct_size = sizeof(options);
    options.mode = mode;
    return test_arena_create(&options);
  }
};
using PastEndDeathTest = PastEndTest;

TEST_F(PastEndTest, UsableSizeIsWhatWasAskedFor) {
  for (const size_t size : kSizes) {
    std::vector<void*> blocks = {test_malloc(size),
                                 test_calloc(1, size),
                                 test_aligned_alloc(16, size),
                                 test_aligned_alloc(64, size),
                                 test_aligned_alloc(kUnit, size),
                                 test_alloc_at_multiple(24, size),
                                 test_realloc(nullptr, size)};
    void* batch[3];
    EXPECT_EQ(test_malloc_batch(size, 3, batch), 3u);
    blocks.insert(blocks.end(), batch, batch + 3);
    test_pin_t* const pin = test_pin();
    blocks.push_back(test_pinned_malloc(pin, size));
    test_unpin(pin);
    for (void* const block : blocks) {
      EXPECT_EQ(test_malloc_usable_size(block), size);
      memset(block, 0x5a, size);
      test_free_sized(block, size);
    }
  }
  EXPECT_EQ(test_malloc_good_size(100), 100u);
  EXPECT_EQ(test_malloc_good_size(~size_t{0}), 0u);
  EXPECT_EQ(test_malloc(~size_t{0}), nullptr);
  EXPECT_EQ(test_malloc(~size_t{0} - 7), nullptr);
}

TEST_F(PastEndTest, ReallocKeepsContentsAndKnowsTheSize) {
  Random random;
  for (int round = 0; round < 60; ++round) {
    size_t size = random.Size(22);
    char* block = static_cast<char*>(test_malloc(size));
    Fill(block, size, 1);
    for (int i = 0; i < 5; ++i) {
      const size_t next = random.Size(22);
      block = static_cast<char*>(test_realloc(block, next));
      ASSERT_TRUE(IsFilled(block, Min(size, next), 1));
      EXPECT_EQ(test_malloc_usable_size(block), next);
      size = next;
      Fill(block, size, 1);
    }
    test_free_sized(block, size);
  }
}

TEST_F(PastEndTest, AFailedReallocLeavesTheBlockSealed) {
  for (const size_t size : {100, 100000}) {
    void* const block = test_malloc(size);
    EXPECT_EQ(test_realloc(block, ~size_t{0} / 2), nullptr);
    {
      const ScopedFailures failures(Primitive::kReserve, Failures::Always());
      EXPECT_EQ(test_realloc(block, size_t{1} << 40), nullptr);
    }
    EXPECT_EQ(test_malloc_usable_size(block), size);
    test_free(block);
  }
}

TEST_F(PastEndTest, InPlace) {
  char* const small = static_cast<char*>(test_malloc(100));
  EXPECT_EQ(test_try_realloc_in_place(small, 0, 10), 10u);
  EXPECT_EQ(test_malloc_usable_size(small), 10u);
  // 108 bytes are of the class of 112.
  EXPECT_EQ(test_try_realloc_in_place(small, 0, 1000), 104u);
  EXPECT_EQ(test_try_realloc_in_place(small, 1000, 1000), 104u);
  test_free_sized(small, 104);
  char* const large = static_cast<char*>(test_malloc(100000));
  EXPECT_EQ(test_try_realloc_in_place(large, 1000000, 1000000), 1000000u);
  memset(large, 1, 1000000);
  EXPECT_EQ(test_try_realloc_in_place(large, 0, 70001), 70001u);
  test_free_sized(large, 70001);
}

TEST_F(PastEndTest, InArenas) {
  for (const uint32_t mode :
       {uint32_t{test_arena_general}, uint32_t{test_arena_monotonic}}) {
    test_arena* const arena = NewArena(mode);
    size_t seen = 0;
    for (const size_t size : kSizes) {
      for (void* block :
           {test_arena_malloc(arena, size), test_arena_calloc(arena, 1, size),
            test_arena_aligned_alloc(arena, 128, size)}) {
        EXPECT_EQ(test_malloc_usable_size(block), size);
        memset(block, 0x5a, size);
        block = test_arena_realloc(arena, block, size + 50);
        memset(block, 0x5a, size + 50);
        EXPECT_EQ(test_malloc_usable_size(block), size + 50);
        seen += size + 50;
      }
    }
    size_t visited = 0;
    test_arena_visit_blocks(
        arena,
        [](void*, size_t size, void* sum) {
          *static_cast<size_t*>(sum) += size;
        },
        &visited);
    EXPECT_EQ(visited, seen);
    void* const last = test_arena_malloc(arena, 100);
    const size_t grown = test_try_realloc_in_place(last, 0, 2000);
    memset(last, 1, grown);
    test_free_sized(last, grown);
    test_arena_destroy(arena);
  }
}

// What is behind a block is in its slack or in the last word.
TEST_F(PastEndDeathTest, AByteBehind) {
  for (const size_t size : kSizes) {
    EXPECT_MISUSE(
        {
          char* const block = Block(size);
          block[size] = 0;
          test_free(block);
        },
        kPastEnd, BlockOf(Known(size)));
  }
  EXPECT_MISUSE(
      {
        constexpr size_t kSize = size_t{36} << 20;
        char* const block = Block(kSize);
        block[kSize] = 0;
        test_free(block);
      },
      kPastEnd, BlockOf(size_t{36} << 20));
}

TEST_F(PastEndDeathTest, ByWhomeverItIsNoticed) {
  const std::function<void(char*)> asks[] = {
      [](char* p) { test_free(p); },
      [](char* p) { test_malloc_usable_size(p); },
      [](char* p) { p = static_cast<char*>(test_realloc(p, 50)); },
      [](char* p) { test_try_realloc_in_place(p, 0, 10); },
      [](char* p) { test_free_sized(p, 100); },
      [](char* p) { test_free_aligned_sized(p, 8, 100); },
      [](char* p) {
        void* const blocks[] = {p};
        test_free_batch(blocks, 1);
      },
      [](char* p) {
        std::thread([p] {
          test_free(p);
          fake::Farewell();
        }).join();
      },
      [](char* p) {
        const ScopedFailures failures(Primitive::kMap, Failures::Always());
        std::thread([p] { test_free(p); }).join();  // which gets no heap
      },
  };
  for (const auto& ask : asks) {
    EXPECT_MISUSE(
        {
          char* const block = Block(100);
          block[100] = 0;
          ask(block);
        },
        kPastEnd, BlockOf(100));
  }
}

TEST_F(PastEndDeathTest, OfAlignedBlocks) {
  for (const size_t alignment : {64, 4096, 65536}) {
    EXPECT_MISUSE(
        {
          char* const block =
              static_cast<char*>(test_aligned_alloc(alignment, 10));
          Blame(block);
          block[10] = 0;
          test_free(block);
        },
        kPastEnd, BlockOf(10));
  }
}

TEST_F(PastEndDeathTest, OfAnArenasBlocks) {
  for (const uint32_t mode :
       {uint32_t{test_arena_general}, uint32_t{test_arena_monotonic}}) {
    for (const size_t size : {10, 5001, 200000}) {
      EXPECT_MISUSE(
          {
            char* const block =
                static_cast<char*>(test_arena_malloc(NewArena(mode), size));
            Blame(block);
            block[size] = 0;
            test_free(block);
          },
          kPastEnd, BlockOf(size));
    }
  }
}

// The end of the string that does not fit.
TEST_F(PastEndDeathTest, AfterRealloc) {
  for (const size_t size : {40, 70000}) {
    EXPECT_MISUSE(
        {
          char* block = static_cast<char*>(test_malloc(size + 13));
          block = static_cast<char*>(test_realloc(block, size));
          Blame(block);
          block[size] = 0;
          test_free(block);
        },
        kPastEnd, BlockOf(size));
  }
}

// The neighbour's first bytes are behind the last word, which does not survive.
TEST_F(PastEndDeathTest, ACopyThatIsTooLong) {
  EXPECT_MISUSE(
      {
        char* const block = Block(20);
        memset(block, 'A', 64);
        test_free(block);
      },
      kPastEnd, BlockOf(32));
}

TEST_F(PastEndDeathTest, DoubleFreeIsOneStill) {
  for (const size_t size : {1, 100, 5000, 40000}) {
    EXPECT_MISUSE(
        {
          char* const block = Block(size);
          test_free(block);
          test_free(block);
        },
        kDoubleFree);
    EXPECT_MISUSE(
        {
          char* const block = Block(size);
          std::thread([block] { test_free(block); }).join();
          test_free(block);
        },
        kDoubleFree, BlockOf(InfoOf(ClassOfSize(size + 8)).size));
  }
  EXPECT_MISUSE(
      {
        char* const block = Block(100000);
        test_free(block);
        test_free(block);
      },
      Config::kCacheSpanBytes == 0 ? "free of memory that is in no block, at"
                                   : kDoubleFree);
}

TEST_F(PastEndDeathTest, OtherMisuseIsNotMistakenForIt) {
  EXPECT_MISUSE(
      {
        char* const block = Block(64) + 8;
        Blame(block);
        test_free(block);
      },
      "free inside a block at");
  EXPECT_MISUSE(
      {
        char* const first = Block(8);
        char* const block =
            first + (AddressOf(first) % kUnit < kUnit / 2 ? 16000 : -16000);
        Blame(block);
        test_free(block);
      },
      Config::kRandomPlacement ? kDoubleFree
                               : "free of a block never allocated at",
      Config::kRandomPlacement ? BlockOf(16) : "");
  EXPECT_MISUSE(test_free_sized(Block(100), 99),
                "sized free with a size that cannot be that of", BlockOf(100));
  EXPECT_MISUSE(
      {
        char* const block = Block(100);
        test_free(block);
        test_malloc_usable_size(block);
      },
      "size or realloc asked of memory that is in no block, at");
}

// Who reads memory that was handed out before finds no canary there.
TEST_F(PastEndTest, NoCanaryIsLeftBehind) {
  for (const size_t size : {20, 1000, 70000}) {
    auto* const block = static_cast<unsigned char*>(test_malloc(size));
    unsigned char canary[8];
    memcpy(canary, block + size, sizeof(canary));
    EXPECT_FALSE(IsZero(canary, sizeof(canary)));
    test_free(block);
    // Or nothing can be read there.
    if (!Config::kGuardPages || size < kSlabMax) {
      EXPECT_NE(memcmp(block + size, canary, sizeof(canary)), 0);
    }
    auto* const grown = static_cast<unsigned char*>(
        test_realloc(test_realloc(test_malloc(size), size + 3), size + 8));
    EXPECT_NE(memcmp(grown + size, canary, sizeof(canary)), 0);
    test_free(grown);
  }
}

TEST_F(PastEndTest, HandlersOfAShortageSeeWhatWasAskedFor) {
  size_t asked = 0;
  test_oom_handler handler = {};
  handler.context = &asked;
  handler.call = [](const test_oom_info* info, void* context) -> int {
    *static_cast<size_t*>(context) = info->size;
    return test_oom_fail;
  };
  const test_oom_handler* former;
  test_set_oom_handler(&handler, &former);
  const ScopedFailures failures(Primitive::kReserve, Failures::Always());
  EXPECT_EQ(test_malloc(size_t{1} << 40), nullptr);
  EXPECT_EQ(asked, size_t{1} << 40);
  test_set_oom_handler(nullptr, &former);
}

TEST_F(PastEndTest, AChildOfForkHasTheSameSecret) {
  void* const block = test_malloc(100);
  EXPECT_EXIT(
      {
        test_free(block);
        exit(test_malloc_usable_size(test_malloc(7)) == 7 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  test_free(block);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
