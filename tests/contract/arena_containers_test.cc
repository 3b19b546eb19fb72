// Containers in arenas: by arena_allocator<T> and by arena.resource(). Compiled
// for each variant, as arena_cpp_test.cc.
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include SUBJECT_HEADER

#include "tests/contract/contract.h"

namespace contract {
namespace {

namespace cpp = ::SUBJECT_NAMESPACE;
using ArenaContainersTest = ContractTest;

template <typename T>
using Allocator = cpp::arena_allocator<T>;
using Traits = std::allocator_traits<Allocator<int>>;

static_assert(std::is_same_v<Traits::pointer, int*>);
static_assert(std::is_same_v<Traits::rebind_alloc<char>, Allocator<char>>);
static_assert(!Traits::is_always_equal::value);
static_assert(Traits::propagate_on_container_move_assignment::value);
static_assert(Traits::propagate_on_container_swap::value);
static_assert(!Traits::propagate_on_container_copy_assignment::value);
static_assert(std::is_nothrow_copy_constructible_v<Allocator<int>>);
static_assert(std::is_nothrow_constructible_v<Allocator<int>, Allocator<char>>);
static_assert(!std::is_default_constructible_v<Allocator<int>>);
static_assert(std::is_final_v<cpp::arena_resource>);

bool IsIn(const cpp::arena& arena, const void* address) {
  return subject::arena_of(address) ==
         reinterpret_cast<subject::Arena*>(arena.handle());
}

TEST_F(ArenaContainersTest, AllocatorsAreEqualByTheirArena) {
  cpp::arena one, two;
  EXPECT_TRUE(one.allocator<int>() == one.allocator<char>());
  EXPECT_FALSE(one.allocator<int>() == two.allocator<int>());
  EXPECT_TRUE(one.allocator<int>() != two.allocator<int>());
  EXPECT_EQ(Allocator<char>(one.allocator<int>()).arena(), one.handle());
}

template <size_t kAlignment>
struct alignas(kAlignment) Aligned {
  char bytes[kAlignment];
};

template <typename T>
void ExpectAligned(const cpp::arena& arena) {
  Allocator<T> allocator = arena.allocator<T>();
  for (size_t n = 0; n <= 40; ++n) {
    T* objects[3];
    for (T*& some : objects) {
      some = allocator.allocate(n);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(some) % alignof(T), 0u);
      EXPECT_TRUE(IsIn(arena, some));
      EXPECT_GE(subject::malloc_usable_size(some), n * sizeof(T));
    }
    for (T* const some : objects) allocator.deallocate(some, n);
  }
}

TEST_F(ArenaContainersTest, AllocatorAlignsEveryType) {
  for (const uint32_t mode : {0, 1}) {
    cpp::arena arena({.mode = mode});
    ExpectAligned<char>(arena);
    ExpectAligned<double>(arena);
    ExpectAligned<std::max_align_t>(arena);
    ExpectAligned<Aligned<32>>(arena);
    ExpectAligned<Aligned<64>>(arena);
    ExpectAligned<Aligned<4096>>(arena);
    EXPECT_EQ(arena.stats().blocks_live, 0u);
  }
}

TEST_F(ArenaContainersTest, AllocatorThrows) {
  cpp::arena arena({.hard_quota = kMiB});
  Allocator<uint64_t> allocator = arena.allocator<uint64_t>();
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 8 + 1),
               std::bad_array_new_length);
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 8), std::bad_alloc);
  EXPECT_THROW((void)allocator.allocate(kMiB), std::bad_alloc);
  Allocator<Aligned<64>> aligned(arena.handle());
  EXPECT_THROW((void)aligned.allocate(SIZE_MAX / 64 + 1),
               std::bad_array_new_length);
}

// All memory of a container is the arena's, also of its copies and of those it
// is moved or swapped with; a copy between two arenas stays where it was.
template <typename Container, typename Fill>
void ExpectServed(Fill fill) {
  cpp::arena one, two;
  using Value = typename Container::value_type;
  {
    Container here(one.allocator<Value>());
    fill(here);
    const size_t blocks = one.stats().blocks_live;
    EXPECT_GT(blocks, 0u);
    EXPECT_EQ(two.stats().blocks_live, 0u);
    Container copy(here);
    EXPECT_EQ(copy.get_allocator(), here.get_allocator());
    Container there(here, two.allocator<Value>());
    EXPECT_EQ(there, here);
    EXPECT_EQ(there.get_allocator().arena(), two.handle());
    EXPECT_GT(two.stats().blocks_live, 0u);
    // A copy stays in its arena.
    there.clear();
    there = here;
    EXPECT_EQ(there.get_allocator().arena(), two.handle());
    EXPECT_EQ(there, copy);
    // What is moved or swapped takes its arena along.
    using std::swap;
    swap(there, here);
    EXPECT_EQ(there.get_allocator().arena(), one.handle());
    EXPECT_EQ(here.get_allocator().arena(), two.handle());
    copy = std::move(here);
    EXPECT_EQ(copy.get_allocator().arena(), two.handle());
    EXPECT_EQ(copy, there);
    Container moved(std::move(copy), one.allocator<Value>());
    EXPECT_EQ(moved.get_allocator().arena(), one.handle());
    EXPECT_EQ(moved, there);
  }
  EXPECT_EQ(one.stats().blocks_live, 0u);
  EXPECT_EQ(two.stats().blocks_live, 0u);
  EXPECT_EQ(GetStats().blocks_live, 0u) << "nothing in the main heap";
}

using String = std::basic_string<char, std::char_traits<char>, Allocator<char>>;

TEST_F(ArenaContainersTest, AllocatorServesContainers) {
  const auto push = [](auto& c) {
    for (int i = 0; i < 3000; ++i) c.push_back(i);
  };
  ExpectServed<std::vector<int, Allocator<int>>>(push);
  ExpectServed<std::deque<int, Allocator<int>>>(push);
  ExpectServed<std::list<int, Allocator<int>>>(push);
  const auto insert = [](auto& c) {
    for (int i = 0; i < 3000; ++i) c.emplace(i, -i);
  };
  using Pair = std::pair<const int, int>;
  ExpectServed<std::map<int, int, std::less<>, Allocator<Pair>>>(insert);
  ExpectServed<std::unordered_map<int, int, std::hash<int>, std::equal_to<>,
                                  Allocator<Pair>>>(insert);
  ExpectServed<String>([](String& s) {
    for (int i = 0; i < 3000; ++i) s += "text";
  });
}

// A container whose growth is refused is what it was.
TEST_F(ArenaContainersTest, GrowthBeyondTheQuotaChangesNothing) {
  cpp::arena arena({.hard_quota = kMiB});
  std::vector<int, Allocator<int>> numbers(arena.allocator<int>());
  int next = 0;
  EXPECT_THROW(for (;; ++next) numbers.push_back(next), std::bad_alloc);
  ASSERT_EQ(numbers.size(), static_cast<size_t>(next));
  EXPECT_GT(next, 1000);
  for (int i = 0; i < next; ++i) ASSERT_EQ(numbers[i], i);
}

TEST_F(ArenaContainersTest, SharedPointersByTheAllocator) {
  cpp::arena arena;
  {
    const auto object =
        std::allocate_shared<Aligned<64>>(arena.allocator<Aligned<64>>());
    EXPECT_TRUE(IsIn(arena, object.get()));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(object.get()) % 64, 0u);
  }
  EXPECT_EQ(arena.stats().blocks_live, 0u);
}

// No destructor is run, and nothing is left: what arenas are for.
TEST_F(ArenaContainersTest, ContainersMayBeLeftToTheArena) {
  cpp::arena arena({.mode = 1});
  using Words = std::vector<String, Allocator<String>>;
  Words& words = *arena.make<Words>(arena.allocator<String>());
  for (int i = 0; i < 1000; ++i)
    words.emplace_back(std::to_string(i) + " is too long to be kept inside",
                       arena.allocator<char>());
  EXPECT_TRUE(IsIn(arena, words[999].data()));
  EXPECT_EQ(words[999].compare(0, 4, "999 "), 0);
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

// ---- resource() ----

TEST_F(ArenaContainersTest, ResourceAlignsAndThrows) {
  cpp::arena arena({.hard_quota = 16 * kMiB});
  std::pmr::memory_resource* const resource = arena.resource();
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    for (const size_t size : {0, 1, 8, 15, 17, 100, 5000, 100000}) {
      void* const block = resource->allocate(size, alignment);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u)
          << alignment << " " << size;
      EXPECT_TRUE(IsIn(arena, block));
      resource->deallocate(block, size, alignment);
    }
  }
  volatile size_t absurd = SIZE_MAX;  // a compiler that knows it would warn
  EXPECT_THROW((void)resource->allocate(absurd, 8), std::bad_alloc);
  EXPECT_THROW((void)resource->allocate(20 * kMiB, 8), std::bad_alloc);
  EXPECT_EQ(arena.stats().blocks_live, 0u);
}

TEST_F(ArenaContainersTest, ResourcesAreEqualByTheirArena) {
  cpp::arena one, two;
  cpp::arena_resource own(one.handle());
  EXPECT_EQ(one.resource(), one.resource());
  EXPECT_EQ(one.resource()->arena(), one.handle());
  EXPECT_TRUE(own == *one.resource());
  EXPECT_FALSE(own == *two.resource());
  EXPECT_FALSE(own == *cpp::resource());
  EXPECT_FALSE(*cpp::resource() == own);
  EXPECT_FALSE(own == *std::pmr::new_delete_resource());
}

TEST_F(ArenaContainersTest, ResourceServesContainers) {
  cpp::arena arena;
  {
    std::pmr::unordered_map<std::pmr::string, std::pmr::vector<int>> map(
        arena.resource());
    for (int i = 0; i < 1000; ++i) {
      std::pmr::string key("a key too long for the string object ",
                           arena.resource());
      key += std::to_string(i);
      map[key].assign(i % 50, i);
    }
    for (const auto& [key, values] : map) {
      ASSERT_TRUE(IsIn(arena, &key));
      ASSERT_TRUE(IsIn(arena, key.data()));
      ASSERT_TRUE(values.empty() || IsIn(arena, values.data()));
    }
    // The arena moves; the containers stay.
    cpp::arena elsewhere(std::move(arena));
    map.erase(map.begin());
    map["another key, which is as long as the others were"].push_back(1);
    EXPECT_EQ(map.size(), 1000u);
    arena = std::move(elsewhere);
  }
  EXPECT_EQ(arena.stats().blocks_live, 0u);
  EXPECT_EQ(GetStats().blocks_live, 1u) << "the resource itself";
}

TEST_F(ArenaContainersTest, ResourceOutlivesAReset) {
  cpp::arena arena;
  for (int round = 0; round < 3; ++round) {
    std::pmr::memory_resource* const resource = arena.resource();
    // Left to the reset.
    auto* const numbers = arena.make<std::pmr::vector<int>>(resource);
    numbers->assign(1000, round);
    EXPECT_TRUE(IsIn(arena, numbers->data()));
    arena.reset();
    EXPECT_EQ(arena.resource(), resource);
    EXPECT_EQ(arena.stats().blocks_live, 0u);
  }
}

TEST_F(ArenaContainersTest, ResourceFeedsPools) {
  cpp::arena arena;
  {
    std::pmr::unsynchronized_pool_resource pool(arena.resource());
    std::pmr::monotonic_buffer_resource buffer(arena.resource());
    std::pmr::vector<std::pmr::string> strings(&pool);
    for (int i = 0; i < 1000; ++i) strings.emplace_back(100, 'x');
    std::pmr::list<int> list(&buffer);
    for (int i = 0; i < 1000; ++i) list.push_back(i);
    EXPECT_EQ(list.back(), 999);
  }
  EXPECT_EQ(arena.stats().blocks_live, 0u);
}

}  // namespace
}  // namespace contract
