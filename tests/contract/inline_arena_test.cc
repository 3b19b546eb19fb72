// The inline header's way into arenas does what the functions do. Compiled for
// each variant, with SUBJECT_INLINE_HEADER, SUBJECT_PREFIX and
// SUBJECT_NAMESPACE.
#include SUBJECT_INLINE_HEADER

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"
#include "tests/contract/messages.h"

#define PASTE_EXPANDED(a, b) a##b
#define PASTE(a, b) PASTE_EXPANDED(a, b)

namespace contract {
namespace {

namespace in = ::SUBJECT_NAMESPACE::inlined;
using Arena = PASTE(SUBJECT_PREFIX, arena);

Arena* Of(subject::Arena* arena) { return reinterpret_cast<Arena*>(arena); }

class InlineArenaTest : public ArenaModesTest {};
using InlineArenaDeathTest = InlineArenaTest;

template <size_t... kSizes>
constexpr auto AllocatorsOf(std::index_sequence<kSizes...>) {
  return std::array<void* (*)(Arena*), sizeof...(kSizes)>{
      [](Arena* arena) { return in::arena_allocate<kSizes>(arena); }...};
}

// Constant sizes from 0 on, beyond the largest inlined one.
constexpr auto kAllocators = AllocatorsOf(std::make_index_sequence<1030>());

TEST_P(InlineArenaTest, EverySizeIsOfItsClass) {
  for (size_t size = 0; size < kAllocators.size(); ++size) {
    ScopedArena arena(Options());
    // The first block of a class, one that is inlined, and the functions' own.
    std::vector<void*> blocks = {
        kAllocators[size](Of(arena)), kAllocators[size](Of(arena)),
        in::arena_malloc(Of(arena), size), subject::arena_malloc(arena, size)};
    const size_t usable = subject::malloc_usable_size(blocks.back());
    for (void* const block : blocks) {
      ASSERT_NE(block, nullptr);
      ASSERT_EQ(subject::arena_of(block), arena);
      ASSERT_EQ(subject::malloc_usable_size(block), usable) << size;
      ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % (size < 16 ? 8 : 16), 0u);
    }
    ASSERT_EQ(StatsOf(arena).blocks_live, 4u) << size;
    ASSERT_EQ(StatsOf(arena).bytes_live, 4 * usable) << size;
    for (void* const block : blocks) subject::free(block);
    ASSERT_EQ(StatsOf(arena).blocks_live, 0u) << size;
  }
}

// Inlined and called ones in turns, over many refills, units and frees.
TEST_P(InlineArenaTest, BlocksAreDistinct) {
  ScopedArena arena(Options());
  struct Block {
    void* start;
    size_t size;
  };
  std::vector<Block> blocks;
  uint64_t seed = 0;
  for (size_t i = 0; i < 20000; ++i) {
    const size_t size = i * 7919 % 1030;
    void* const block = i % 3 == 0   ? kAllocators[size](Of(arena))
                        : i % 3 == 1 ? in::arena_malloc(Of(arena), size)
                                     : subject::arena_malloc(arena, size);
    ASSERT_NE(block, nullptr);
    Fill(block, size, i);
    blocks.push_back({block, size});
    if (i % 5 == 4) {
      ASSERT_TRUE(Holds(blocks[seed].start, blocks[seed].size, seed)) << seed;
      subject::free(blocks[seed].start);
      blocks[seed].start = nullptr;
      ++seed;
    }
  }
  for (size_t i = seed; i < blocks.size(); ++i)
    ASSERT_TRUE(Holds(blocks[i].start, blocks[i].size, i)) << i;
  EXPECT_EQ(StatsOf(arena).blocks_live, blocks.size() - seed);
}

template <size_t kSize, size_t kAlignment>
void ExpectAligned(subject::Arena* arena) {
  for (int i = 0; i < 5; ++i) {
    void* const block = in::arena_allocate<kSize, kAlignment>(Of(arena));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % kAlignment, 0u)
        << kSize << " " << kAlignment;
    EXPECT_GE(subject::malloc_usable_size(block), kSize);
  }
}

TEST_P(InlineArenaTest, Aligns) {
  for (const size_t least : {size_t{0}, size_t{256}}) {
    subject::ArenaOptions options = Options();
    options.alignment = least;
    ScopedArena arena(options);
    ExpectAligned<1, 1>(arena);
    ExpectAligned<3, 16>(arena);
    ExpectAligned<8, 16>(arena);
    ExpectAligned<64, 64>(arena);
    ExpectAligned<100, 4096>(arena);
    if (least == 0) continue;
    ExpectAligned<1, 256>(arena);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(in::arena_allocate<24>(Of(arena))) %
                    least,
                0u);
    }
  }
}

TEST_P(InlineArenaTest, TypesAndThreads) {
  struct Node {
    Node* next;
    int value[5];
  };
  ScopedArena arena(Options());
  std::vector<std::thread> threads;
  std::array<std::vector<Node*>, 4> nodes;
  for (auto& mine : nodes) {
    threads.emplace_back([&arena, &mine] {
      for (int i = 0; i < 5000; ++i) {
        mine.push_back(in::arena_allocate<Node>(Of(arena)));
        mine.back()->value[0] = i;
      }
      subject::thread_detach();
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Node*> all;
  for (const auto& mine : nodes) {
    for (int i = 0; i < 5000; ++i) ASSERT_EQ(mine[i]->value[0], i);
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 20000u);
  EXPECT_EQ(StatsOf(arena).blocks_live, 20000u);
}

TEST_P(InlineArenaTest, QuotasHold) {
  subject::ArenaOptions options = Options();
  options.hard_quota = 4 * kUnit;
  ScopedArena arena(options);
  size_t count = 0;
  while (in::arena_allocate<1000>(Of(arena)) != nullptr) ++count;
  EXPECT_GE(count, 4 * kUnit / 1024 * 9 / 10);
  EXPECT_LE(count, 4 * kUnit / 1000);
  EXPECT_EQ(in::arena_malloc(Of(arena), 1000), nullptr);
}

// Of many arenas at once, more than a thread finds without a search.
TEST_P(InlineArenaTest, ManyArenas) {
  std::vector<subject::Arena*> arenas;
  const subject::ArenaOptions options = Options();
  for (int i = 0; i < 40; ++i)
    arenas.push_back(subject::arena_create(&options));
  for (int round = 0; round < 50; ++round) {
    for (subject::Arena* const arena : arenas) {
      void* const block = in::arena_allocate<48>(Of(arena));
      ASSERT_EQ(subject::arena_of(block), arena);
    }
  }
  for (subject::Arena* const arena : arenas) {
    ASSERT_EQ(StatsOf(arena).blocks_live, 50u);
    subject::arena_destroy(arena);
  }
}

TEST_P(InlineArenaDeathTest, OfAnArenaThatIsGone) {
  ScopedArena arena(Options());
  (void)in::arena_allocate<48>(Of(arena));
  const std::string line = Says(UseOfGone(TextOf(arena)));
  Arena* const gone = Of(arena);
  arena.Destroy();
  // Another one may be in its place.
  ScopedArena next(Options());
  (void)in::arena_allocate<48>(Of(next));
  EXPECT_STOPS((void)in::arena_allocate<48>(gone), line);
  EXPECT_STOPS((void)in::arena_malloc(gone, 48), line);
}

TEST_P(InlineArenaDeathTest, OfNoArena) {
  subject::free(subject::malloc(1));  // the thread has a heap
  for (const uintptr_t handle : {uintptr_t{0}, uintptr_t{1}, ~uintptr_t{0}}) {
    EXPECT_STOPS_LIKE(
        (void)in::arena_allocate<48>(reinterpret_cast<Arena*>(handle)),
        testing::HasSubstr("use of an arena that never was"));
  }
}

INSTANTIATE_IN_BOTH_MODES(InlineArenaTest);
INSTANTIATE_IN_BOTH_MODES(InlineArenaDeathTest);

}  // namespace
}  // namespace contract
