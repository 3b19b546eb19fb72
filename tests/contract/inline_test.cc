// The inline header: what a call site does by itself is what the functions do.
// Compiled for each variant, with SUBJECT_INLINE_HEADER, SUBJECT_PREFIX and
// SUBJECT_NAMESPACE.
#include SUBJECT_INLINE_HEADER

#include <array>
#include <csignal>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/contract/contract.h"
#include "tests/contract/messages.h"

namespace contract {
namespace {

namespace in = ::SUBJECT_NAMESPACE::inlined;
using InlineTest = ContractTest;
using InlineDeathTest = ContractTest;

// Every way to allocate and to free blocks of one constant size.
struct Ways {
  size_t size;
  size_t alignment;
  void* (*allocate)();
  void (*deallocate)(void*);
  void (*deallocate_trusted)(void*);
};

template <size_t kSize, size_t kAlignment = (kSize < 16 ? 8 : 16)>
constexpr Ways WaysOf() {
  return {
      kSize, kAlignment, [] { return in::allocate<kSize, kAlignment>(); },
      [](void* block) { in::deallocate<kSize, kAlignment>(block); },
      [](void* block) { in::deallocate_trusted<kSize, kAlignment>(block); }};
}

// Small sizes, and those next to where a class may end: multiples of 16.
constexpr size_t SizeAt(size_t i) {
  return i < 72 ? i : 79 + (i - 72) / 3 * 16 + i % 3;
}

template <size_t... kIndices>
constexpr std::array<Ways, sizeof...(kIndices)> WaysOfAll(
    std::index_sequence<kIndices...>) {
  return {WaysOf<SizeAt(kIndices)>()...};
}

// Beyond what is inlined, too.
constexpr auto kWays = WaysOfAll(std::make_index_sequence<258>());
static_assert(kWays.back().size > 1024 + 16);

void ExpectBlock(const Ways& ways, void* block) {
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % ways.alignment, 0u)
      << ways.size << " " << ways.alignment;
  EXPECT_NE(subject::owns(block), 0);
  EXPECT_GE(subject::malloc_usable_size(block), ways.size);
}

TEST_F(InlineTest, EverySizeIsOfItsClass) {
  // First from an empty cache, then from a full one.
  for (int round = 0; round < 2; ++round) {
    for (const Ways& ways : kWays) {
      void* blocks[4];
      for (void*& block : blocks) {
        block = ways.allocate();
        ExpectBlock(ways, block);
        EXPECT_EQ(subject::malloc_usable_size(block),
                  subject::malloc_good_size(ways.size));
        Fill(block, ways.size, ways.size);
      }
      for (void* const block : blocks) {
        EXPECT_TRUE(Holds(block, ways.size, ways.size));
      }
      ways.deallocate(blocks[0]);
      ways.deallocate_trusted(blocks[1]);
      subject::free(blocks[2]);
      subject::free_sized(blocks[3], ways.size);
    }
  }
}

TEST_F(InlineTest, EverySizeOfBlocksOfTheFunctions) {
  for (const Ways& ways : kWays) {
    void* const blocks[] = {subject::malloc(ways.size),
                            subject::calloc(1, ways.size)};
    Fill(blocks[0], ways.size, 1);
    ways.deallocate(blocks[0]);
    ways.deallocate_trusted(blocks[1]);
    // What was freed at the call site is not taken for fresh memory.
    void* const zeroed[] = {subject::calloc(1, ways.size),
                            subject::calloc(1, ways.size)};
    for (void* const block : zeroed) {
      EXPECT_TRUE(IsZero(block, ways.size));
      ways.deallocate_trusted(block);
    }
  }
}

template <size_t kSize>
void ExpectAlignments() {
  for (const Ways& ways :
       {WaysOf<kSize, 1>(), WaysOf<kSize, 2>(), WaysOf<kSize, 8>(),
        WaysOf<kSize, 16>(), WaysOf<kSize, 32>(), WaysOf<kSize, 64>(),
        WaysOf<kSize, 4096>(), WaysOf<kSize, 65536>(),
        WaysOf<kSize, 262144>()}) {
    // Neighbours: the first block of a fresh slab is aligned to anything.
    for (int round = 0; round < 2; ++round) {
      void* blocks[4];
      for (void*& block : blocks) {
        block = ways.allocate();
        ExpectBlock(ways, block);
      }
      ways.deallocate(blocks[0]);
      ways.deallocate_trusted(blocks[1]);
      subject::free(blocks[2]);
      ways.deallocate(blocks[3]);
    }
  }
}

TEST_F(InlineTest, Aligns) {
  ExpectAlignments<0>();
  ExpectAlignments<1>();
  ExpectAlignments<8>();
  ExpectAlignments<12>();
  ExpectAlignments<16>();
  ExpectAlignments<40>();
  ExpectAlignments<1000>();
  ExpectAlignments<1024>();
  ExpectAlignments<1025>();
  ExpectAlignments<5000>();
  ExpectAlignments<100000>();
  ExpectAlignments<3000000>();
}

template <typename T>
void ExpectObjects() {
  for (int round = 0; round < 2; ++round) {
    T* objects[3];
    for (T*& object : objects) {
      object = in::allocate<T>();
      EXPECT_EQ(reinterpret_cast<uintptr_t>(object) % alignof(T), 0u);
      EXPECT_GE(subject::malloc_usable_size(object), sizeof(T));
    }
    in::deallocate<T>(objects[0]);
    in::deallocate_trusted<T>(objects[1]);
    subject::free(objects[2]);
  }
}

template <size_t kSize, size_t kAlignment>
struct alignas(kAlignment) Object {
  char bytes[kSize];
};

TEST_F(InlineTest, AllocatesObjectsOfEveryType) {
  ExpectObjects<char>();
  ExpectObjects<double>();
  ExpectObjects<std::max_align_t>();
  ExpectObjects<int[5]>();
  ExpectObjects<std::string>();
  ExpectObjects<Object<16, 16>>();
  ExpectObjects<Object<1, 32>>();
  ExpectObjects<Object<4096, 4096>>();
  ExpectObjects<Object<2000, 8>>();
  ExpectObjects<Object<200000, 1>>();
}

// The block that is warm comes first, whoever freed it.
TEST_F(InlineTest, TheLastFreedIsTheNextAllocated) {
  void* const kept = in::allocate<64>();  // lets the cache have an array
  in::deallocate<64>(kept);
  void* const block = in::allocate<64>();
  in::deallocate<64>(block);
  EXPECT_EQ(subject::malloc(64), block);
  subject::free(block);
  EXPECT_EQ(in::allocate<64>(), block);
  in::deallocate_trusted<64>(block);
  EXPECT_EQ(in::allocate<64>(), block);
  in::deallocate<64>(block);
}

TEST_F(InlineTest, NullMayBeFreed) {
  for (const Ways& ways : {WaysOf<1>(), WaysOf<64>(), WaysOf<1024>(),
                           WaysOf<5000>(), WaysOf<64, 64>()}) {
    ways.deallocate(nullptr);
    void* const block = ways.allocate();
    ways.deallocate(nullptr);
    ways.deallocate(block);
    ways.deallocate(nullptr);
  }
}

TEST_F(InlineTest, MoreThanThereCanBeIsNull) {
  EXPECT_EQ((in::allocate<SIZE_MAX>()), nullptr);
  EXPECT_EQ((in::allocate<SIZE_MAX, 4096>()), nullptr);
  EXPECT_EQ((in::allocate<size_t{1} << 50>()), nullptr);
}

TEST_F(InlineTest, CountsAsTheFunctionsDo) {
  void* blocks[100];
  for (void*& block : blocks) block = in::allocate<100>();
  EXPECT_EQ(GetStats().blocks_live, 100u);
  EXPECT_EQ(GetStats().bytes_live, 100 * subject::malloc_good_size(100));
  for (int i = 0; i < 50; ++i) in::deallocate<100>(blocks[i]);
  for (int i = 50; i < 100; ++i) in::deallocate_trusted<100>(blocks[i]);
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(InlineTest, WorksAgainAfterDetachAndShutdown) {
  for (int i = 0; i < 3; ++i) {
    void* const block = in::allocate<48>();
    in::deallocate<48>(block);
    void* const other = in::allocate<48>();
    subject::thread_detach();
    in::deallocate<48>(other);
    subject::thread_detach();
    void* const third = in::allocate<48>();
    subject::thread_detach();
    in::deallocate_trusted<48>(third);
    ASSERT_EQ(subject::shutdown(), 0);
  }
}

// ---- Threads ----

void ExpectNothingInUse() {
  const subject::Stats stats = GetStats();
  EXPECT_EQ(stats.blocks_live, 0u);
  EXPECT_EQ(stats.bytes_cached, 0u);
  EXPECT_EQ(stats.bytes_spans, 0u);
  EXPECT_EQ(stats.threads, 0u);
}

// A thread whose first call is one at its call site has no heap yet.
TEST_F(InlineTest, MayBeAThreadsFirstCall) {
  void* const blocks[] = {in::allocate<64>(), in::allocate<64>()};
  std::thread([&] {
    in::deallocate<64>(blocks[0]);
    subject::thread_detach();
  }).join();
  std::thread([&] {
    in::deallocate_trusted<64>(blocks[1]);
    subject::thread_detach();
  }).join();
  void* block = nullptr;
  std::thread([&] {
    block = in::allocate<64>();
    subject::thread_detach();
  }).join();
  in::deallocate<64>(block);
  subject::thread_detach();
  subject::purge();  // takes mail in for heaps that nobody has
  ExpectNothingInUse();
}

// What a thread frees unseen is in part others'. It hands such blocks out
// again, and what it cannot keep goes home.
TEST_F(InlineTest, TrustedFreesOfOthersBlocksComeHome) {
  constexpr int kRounds = 300;
  constexpr size_t kBatch = 500;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<void*> batch(kBatch);
    for (void*& block : batch) {
      block = in::allocate<112>();
      Fill(block, 112, reinterpret_cast<uintptr_t>(block));
    }
    std::thread([&batch] {
      std::vector<void*> again;
      for (void* const block : batch) {
        ASSERT_TRUE(Holds(block, 112, reinterpret_cast<uintptr_t>(block)));
        in::deallocate_trusted<112>(block);
        if (again.size() < kBatch / 2) {
          again.push_back(in::allocate<112>());
          Fill(again.back(), 112, 1);
        }
      }
      for (void* const block : again) {
        ASSERT_TRUE(Holds(block, 112, 1));
        in::deallocate<112>(block);
      }
      subject::thread_detach();
    }).join();
  }
  subject::thread_detach();
  subject::purge();
  ExpectNothingInUse();
}

// Threads that allocate in every way and free in every way what they or others
// allocated: no block is in two hands, none is lost.
TEST_F(InlineTest, AllWaysAtOnce) {
  constexpr int kThreads = 4;
  struct Block {
    const Ways* ways = nullptr;
    void* start = nullptr;
    uint64_t seed = 0;
  };
  std::vector<Block> exchange(1000);
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 30000; ++i) {
        Block block;
        block.ways = &kWays[random() % kWays.size()];
        block.seed = random();
        block.start = random() % 3 == 0 ? subject::malloc(block.ways->size)
                                        : block.ways->allocate();
        Fill(block.start, block.ways->size, block.seed);
        {
          const std::lock_guard lock(mutex);
          std::swap(block, exchange[random() % exchange.size()]);
        }
        if (block.start == nullptr) continue;
        ASSERT_TRUE(Holds(block.start, block.ways->size, block.seed));
        switch (random() % 4) {
          case 0:
            subject::free(block.start);
            break;
          case 1:
            block.ways->deallocate(block.start);
            break;
          default:
            block.ways->deallocate_trusted(block.start);
        }
      }
      subject::thread_detach();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Block& block : exchange) {
    if (block.start != nullptr) block.ways->deallocate(block.start);
  }
}

// ---- Misuse ----

char* Inside(void* block, size_t offset) {
  return static_cast<char*>(block) + offset;
}

TEST_F(InlineDeathTest, OfForeignMemory) {
  int local = 0;
  EXPECT_STOPS(in::deallocate<64>(&local), Line(kUseForeign, &local));
  void* const kept = in::allocate<64>();
  EXPECT_STOPS(in::deallocate<64>(&local), Line(kUseForeign, &local));
  void* const wild = reinterpret_cast<void*>(uintptr_t{8});
  EXPECT_STOPS(in::deallocate<64>(wild), Line(kUseForeign, wild));
  in::deallocate<64>(kept);
}

TEST_F(InlineDeathTest, AfterShutdown) {
  void* const block = in::allocate<64>();
  ASSERT_EQ(subject::shutdown(), 0);
  EXPECT_STOPS(in::deallocate<64>(block), Line(kUseForeign, block));
}

TEST_F(InlineDeathTest, OfAnotherSize) {
  void* const block = subject::malloc(256);
  // The cache has had blocks of these sizes: the call sites' first look is at
  // the class.
  in::deallocate<64>(in::allocate<64>());
  in::deallocate<257>(in::allocate<257>());
  const std::string line = Line(kWrongSize, block, OfBytes(256));
  EXPECT_STOPS(in::deallocate<64>(block), line);
  EXPECT_STOPS(in::deallocate<1>(block), line);
  EXPECT_STOPS(in::deallocate<257>(block), line);
  EXPECT_STOPS(in::deallocate<1025>(block), line);
  EXPECT_STOPS(in::deallocate<std::string>(static_cast<std::string*>(block)),
               line);
  EXPECT_STOPS(std::thread([block] { in::deallocate<64>(block); }).join(),
               line);
  in::deallocate<256>(block);
}

TEST_F(InlineDeathTest, OfAnotherAlignment) {
  void* blocks[2] = {in::allocate<64, 64>(), in::allocate<64, 64>()};
  void* const block = blocks[reinterpret_cast<uintptr_t>(blocks[0]) % 128 == 0];
  EXPECT_STOPS((in::deallocate<64, 128>(block)), Line(kWrongAlignment, block));
  for (void* const each : blocks) in::deallocate<64, 64>(each);
}

// Only with every check on is a block in the cache known to be free, and the
// inside of one for what it is, at once; else when the cache gives it back.
TEST_F(InlineDeathTest, Twice) {
  void* const block = in::allocate<64>();
  const std::string line =
      Line(kDoubleFree, block, IsOn("check_invariants") ? "" : OfBytes(64));
  EXPECT_STOPS(
      {
        in::deallocate<64>(block);
        in::deallocate<64>(block);
        subject::thread_detach();
      },
      line);
  EXPECT_STOPS(
      {
        in::deallocate_trusted<64>(block);
        in::deallocate_trusted<64>(block);
        subject::thread_detach();
      },
      line);
  in::deallocate<64>(block);
}

TEST_F(InlineDeathTest, InsideABlock) {
  void* const block = in::allocate<64>();
  void* const inside = Inside(block, 16);
  const std::string line =
      Line(IsOn("check_invariants") ? kUseInside : kFreeInside, inside);
  EXPECT_STOPS(
      {
        in::deallocate<64>(inside);
        subject::thread_detach();
      },
      line);
  EXPECT_STOPS(
      {
        in::deallocate_trusted<64>(inside);
        subject::thread_detach();
      },
      line);
  in::deallocate<64>(block);
}

// What is trusted wrongly is noticed late, but it is noticed.
TEST_F(InlineDeathTest, TrustedForeignMemory) {
  int local = 0;
  in::deallocate<64>(in::allocate<64>());
  EXPECT_STOPS(
      {
        in::deallocate_trusted<64>(&local);
        subject::thread_detach();
      },
      Line(IsOn("check_invariants") ? kUseForeign : kFreeForeign, &local));
}

TEST_F(InlineDeathTest, TrustedOfAnotherSize) {
  void* const block = subject::malloc(256);
  in::deallocate<64>(in::allocate<64>());
  EXPECT_STOPS(
      {
        in::deallocate_trusted<64>(block);
        subject::thread_detach();
      },
      IsOn("check_invariants") ? Line(kWrongSize, block, OfBytes(256))
                               : Line(kDoubleFree, block, OfBytes(64)));
  subject::free(block);
}

TEST_F(InlineDeathTest, WithEveryCheckOnNothingIsTrusted) {
  if (!IsOn("check_invariants")) GTEST_SKIP();
  void* const block = subject::malloc(256);
  in::deallocate<64>(in::allocate<64>());
  EXPECT_STOPS(in::deallocate_trusted<64>(block),
               Line(kWrongSize, block, OfBytes(256)));
  EXPECT_STOPS(
      {
        in::deallocate_trusted<256>(block);
        in::deallocate_trusted<256>(block);
      },
      Line(kDoubleFree, block));
  subject::free(block);
}

// ---- allocator<T> ----

template <typename T>
using Traits = std::allocator_traits<in::allocator<T>>;

// A program has both headers in different files: of one name there is one type.
static_assert(
    !std::is_same_v<in::allocator<int>, ::SUBJECT_NAMESPACE::allocator<int>>);
static_assert(
    std::is_same_v<Traits<int>::rebind_alloc<char>, in::allocator<char>>);
static_assert(Traits<int>::is_always_equal::value);
static_assert(Traits<int>::propagate_on_container_move_assignment::value);
static_assert(std::is_empty_v<in::allocator<int>>);
static_assert(in::allocator<int>() == in::allocator<char>());
static_assert(in::allocator<int>(in::allocator<char>()) ==
              in::allocator<int>());
static_assert(noexcept(in::allocator<int>().deallocate(nullptr, 0)));

template <typename T>
void ExpectAligned() {
  in::allocator<T> allocator;
  const auto check = [](T* object, size_t n) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(object) % alignof(T), 0u);
    EXPECT_GE(subject::malloc_usable_size(object), n * sizeof(T));
  };
  for (int round = 0; round < 2; ++round) {
    T* const one[] = {allocator.allocate(1), allocator.allocate(1)};
    T* const three[] = {allocator.allocate(3), allocator.allocate(3)};
    for (T* const some : one) check(some, 1);
    for (T* const some : three) check(some, 3);
    for (T* const some : one) allocator.deallocate(some, 1);
    for (T* const some : three) allocator.deallocate(some, 3);
    for (size_t i = 0; i < 100; ++i) {
      const volatile size_t unknown = i;  // to the compiler
      const size_t n = unknown;
      T* const some = allocator.allocate(n);
      check(some, n);
      allocator.deallocate(some, n);
    }
  }
}

TEST_F(InlineTest, AllocatorAlignsEveryType) {
  ExpectAligned<char>();
  ExpectAligned<double>();
  ExpectAligned<std::max_align_t>();
  ExpectAligned<Object<1, 16>>();
  ExpectAligned<Object<1, 32>>();
  ExpectAligned<Object<1, 4096>>();
  ExpectAligned<Object<1000, 8>>();
}

TEST_F(InlineTest, AllocatorThrows) {
  in::allocator<uint64_t> allocator;
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 8 + 1),
               std::bad_array_new_length);
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 8), std::bad_alloc);
  in::allocator<Object<1, 64>> aligned;
  EXPECT_THROW((void)aligned.allocate(SIZE_MAX), std::bad_array_new_length);
}

template <typename Container, typename Fill>
void ExpectServed(Fill fill) {
  {
    Container container;
    fill(container);
    EXPECT_GT(GetStats().blocks_live, 0u);
    Container copy(container);
    EXPECT_EQ(copy, container);
    Container moved(std::move(container));
    EXPECT_EQ(copy, moved);
    copy.clear();
    copy = moved;
    copy.swap(moved);
    EXPECT_EQ(copy, moved);
  }
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(InlineTest, AllocatorServesContainers) {
  const auto push = [](auto& c) {
    for (int i = 0; i < 10000; ++i) c.push_back(i);
  };
  ExpectServed<std::vector<int, in::allocator<int>>>(push);
  ExpectServed<std::deque<int, in::allocator<int>>>(push);
  ExpectServed<std::list<int, in::allocator<int>>>(push);
  const auto insert = [](auto& c) {
    for (int i = 0; i < 10000; ++i) c.emplace(i, -i);
  };
  using Pair = std::pair<const int, int>;
  ExpectServed<std::map<int, int, std::less<>, in::allocator<Pair>>>(insert);
  ExpectServed<std::multimap<int, int, std::less<>, in::allocator<Pair>>>(
      insert);
  ExpectServed<std::unordered_map<int, int, std::hash<int>, std::equal_to<>,
                                  in::allocator<Pair>>>(insert);
  ExpectServed<
      std::basic_string<char, std::char_traits<char>, in::allocator<char>>>(
      [](auto& s) {
        for (int i = 0; i < 10000; ++i) s += "text";
      });
}

TEST_F(InlineTest, AllocatorServesSharedPointers) {
  auto object =
      std::allocate_shared<Object<64, 64>>(in::allocator<Object<64, 64>>());
  EXPECT_NE(subject::owns(object.get()), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(object.get()) % 64, 0u);
}

// ---- make<T> ----

// Counts its objects.
struct Counted {
  explicit Counted(int v, std::string t = "") : value(v), text(std::move(t)) {
    if (value < 0) throw std::invalid_argument("negative");
    ++alive;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  virtual ~Counted() { --alive; }
  int value;
  std::string text;
  static inline int alive = 0;
};
struct Derived : Counted {
  Derived() : Counted(7) {}
  char more[100] = {};
};

static_assert(sizeof(in::unique_ptr<int>) == sizeof(int*));
// Its block would be freed as one of another size.
static_assert(
    !std::is_convertible_v<in::unique_ptr<Derived>, in::unique_ptr<Counted>>);

TEST_F(InlineTest, MakeConstructsAndDestroys) {
  for (int i = 0; i < 3; ++i) {
    in::unique_ptr<Counted> object =
        in::make<Counted>(3, std::string(100, 'x'));
    EXPECT_EQ(object->value, 3);
    EXPECT_EQ(object->text.size(), 100u);
    EXPECT_EQ(Counted::alive, 1);
    EXPECT_NE(subject::owns(object.get()), 0);
    const in::unique_ptr<Derived> derived = in::make<Derived>();
    EXPECT_EQ(Counted::alive, 2);
    in::unique_ptr<Counted> moved = std::move(object);
    EXPECT_EQ(GetStats().blocks_live, 2u);
    moved.reset();
    EXPECT_EQ(Counted::alive, 1);
    EXPECT_EQ(GetStats().blocks_live, 1u);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST_F(InlineTest, MakeFreesWhatItCouldNotConstruct) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW((void)in::make<Counted>(-1), std::invalid_argument);
    EXPECT_EQ(Counted::alive, 0);
    EXPECT_EQ(GetStats().blocks_live, 0u);
  }
}

TEST_F(InlineTest, MakeOfEveryKind) {
  EXPECT_EQ(*in::make<int>(), 0);
  EXPECT_EQ(*in::make<const int>(5), 5);
  const auto aligned = in::make<Object<100, 128>>();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(aligned.get()) % 128, 0u);
  const auto large = in::make<Object<100000, 1>>();
  EXPECT_TRUE(IsZero(large.get(), 100000));
  std::set<in::unique_ptr<int>> set;
  for (int i = 0; i < 1000; ++i) set.insert(in::make<int>(i));
  EXPECT_EQ(GetStats().blocks_live, 1002u);
}

}  // namespace
}  // namespace contract
