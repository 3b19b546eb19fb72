// The C++ part of the public header: allocator<T> and memory_resource. Compiled
// for each variant, with SUBJECT_HEADER, SUBJECT_PREFIX and SUBJECT_NAMESPACE.
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <numeric>
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
using CppTest = ContractTest;

template <typename T>
using Traits = std::allocator_traits<cpp::allocator<T>>;

// ---- pinned ----

static_assert(!std::is_copy_constructible_v<cpp::pinned>);
static_assert(!std::is_copy_assignable_v<cpp::pinned>);

TEST_F(CppTest, PinnedForAsLongAsItLives) {
  {
    cpp::pinned heap;
    std::vector<void*> blocks;
    for (size_t size = 0; size < 3000; size += 7)
      blocks.push_back(heap.allocate(size));
    for (void* const block : blocks) {
      ASSERT_NE(block, nullptr);
      heap.deallocate(block);
    }
    heap.deallocate(nullptr);
    EXPECT_EQ(heap.allocate(SIZE_MAX), nullptr);
    EXPECT_NE(subject::shutdown(), 0);
  }
  EXPECT_EQ(subject::shutdown(), 0);
}

// ---- allocator<T> ----

static_assert(std::is_same_v<Traits<int>::value_type, int>);
static_assert(std::is_same_v<Traits<int>::pointer, int*>);
static_assert(
    std::is_same_v<Traits<int>::rebind_alloc<char>, cpp::allocator<char>>);
static_assert(Traits<int>::is_always_equal::value);
static_assert(Traits<int>::propagate_on_container_move_assignment::value);
static_assert(std::is_empty_v<cpp::allocator<int>>);
static_assert(cpp::allocator<int>() == cpp::allocator<int>());
static_assert(cpp::allocator<int>() == cpp::allocator<char>());
static_assert(cpp::allocator<int>(cpp::allocator<char>()) ==
              cpp::allocator<int>());
static_assert(std::is_nothrow_copy_constructible_v<cpp::allocator<int>>);
static_assert(noexcept(cpp::allocator<int>().deallocate(nullptr, 0)));

template <size_t kAlignment>
struct alignas(kAlignment) Aligned {
  char bytes[kAlignment];
};

template <typename T>
void ExpectAligned() {
  cpp::allocator<T> allocator;
  for (size_t n = 0; n <= 100; ++n) {
    // Neighbours: the first block of a fresh slab is aligned to anything.
    T* objects[3];
    for (T*& some : objects) {
      some = allocator.allocate(n);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(some) % alignof(T), 0u)
          << alignof(T) << " " << n;
      EXPECT_NE(subject::owns(some), 0);
      EXPECT_GE(subject::malloc_usable_size(some), n * sizeof(T));
    }
    for (T* const some : objects) allocator.deallocate(some, n);
  }
}

TEST_F(CppTest, AllocatorAlignsEveryType) {
  ExpectAligned<char>();
  ExpectAligned<double>();
  ExpectAligned<std::max_align_t>();
  ExpectAligned<Aligned<1>>();
  ExpectAligned<Aligned<16>>();
  ExpectAligned<Aligned<32>>();
  ExpectAligned<Aligned<64>>();
  ExpectAligned<Aligned<4096>>();
  ExpectAligned<Aligned<65536>>();
}

TEST_F(CppTest, AllocatorThrows) {
  cpp::allocator<uint64_t> allocator;
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 8 + 1),
               std::bad_array_new_length);
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX), std::bad_array_new_length);
  EXPECT_THROW((void)allocator.allocate(SIZE_MAX / 8), std::bad_alloc);
  cpp::allocator<Aligned<64>> aligned;
  EXPECT_THROW((void)aligned.allocate(SIZE_MAX / 64 + 1),
               std::bad_array_new_length);
  EXPECT_THROW((void)aligned.allocate(SIZE_MAX / 64), std::bad_alloc);
}

// Whether all memory of a container is the instance's: while it lives, blocks
// do, and when it is gone, none.
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

using String =
    std::basic_string<char, std::char_traits<char>, cpp::allocator<char>>;

TEST_F(CppTest, AllocatorServesContainers) {
  const auto push = [](auto& c) {
    for (int i = 0; i < 10000; ++i) c.push_back(i);
  };
  ExpectServed<std::vector<int, cpp::allocator<int>>>(push);
  ExpectServed<std::deque<int, cpp::allocator<int>>>(push);
  ExpectServed<std::list<int, cpp::allocator<int>>>(push);
  const auto insert = [](auto& c) {
    for (int i = 0; i < 10000; ++i) c[i] = -i;
  };
  using Pair = std::pair<const int, int>;
  ExpectServed<std::map<int, int, std::less<>, cpp::allocator<Pair>>>(insert);
  ExpectServed<std::unordered_map<int, int, std::hash<int>, std::equal_to<>,
                                  cpp::allocator<Pair>>>(insert);
  ExpectServed<String>([](String& s) {
    for (int i = 0; i < 10000; ++i) s += "text";
  });
}

TEST_F(CppTest, AllocatorServesSharedPointers) {
  auto object =
      std::allocate_shared<Aligned<64>>(cpp::allocator<Aligned<64>>());
  EXPECT_NE(subject::owns(object.get()), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(object.get()) % 64, 0u);
}

TEST_F(CppTest, MoveAssignmentTakesTheBlock) {
  std::vector<int, cpp::allocator<int>> from(1000);
  const int* const block = from.data();
  std::vector<int, cpp::allocator<int>> to(10);
  to = std::move(from);
  EXPECT_EQ(to.data(), block);
}

// ---- memory_resource ----

TEST_F(CppTest, ResourceAligns) {
  std::pmr::memory_resource* const resource = cpp::resource();
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    for (const size_t size :
         {size_t{0}, size_t{1}, size_t{8}, size_t{15}, size_t{17}, size_t{100},
          size_t{5000}, size_t{100000}}) {
      void* const block = resource->allocate(size, alignment);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u)
          << alignment << " " << size;
      EXPECT_GE(subject::malloc_usable_size(block), size);
      resource->deallocate(block, size, alignment);
    }
  }
}

TEST_F(CppTest, ResourceThrows) {
  volatile size_t absurd = SIZE_MAX;  // a compiler that knows it would warn
  EXPECT_THROW((void)cpp::resource()->allocate(absurd, 8), std::bad_alloc);
  EXPECT_THROW((void)cpp::resource()->allocate(absurd, 4096), std::bad_alloc);
  EXPECT_THROW((void)cpp::resource()->allocate(8, size_t{1} << 40),
               std::bad_alloc);
}

TEST_F(CppTest, ResourcesAreEqual) {
  cpp::memory_resource own;
  EXPECT_EQ(cpp::resource(), cpp::resource());
  EXPECT_TRUE(own == *cpp::resource());
  EXPECT_FALSE(own == *std::pmr::new_delete_resource());
  EXPECT_FALSE(*std::pmr::new_delete_resource() == own);
}

TEST_F(CppTest, ResourceServesContainers) {
  {
    std::pmr::map<std::pmr::string, std::pmr::vector<int>> map(cpp::resource());
    for (int i = 0; i < 1000; ++i) {
      std::pmr::string key("a key too long for the string object ",
                           cpp::resource());
      key += std::to_string(i);
      map[key].assign(i, i);
    }
    for (const auto& [key, values] : map) {
      ASSERT_NE(subject::owns(&key), 0);
      ASSERT_NE(subject::owns(key.data()), 0);
      ASSERT_TRUE(values.empty() || subject::owns(values.data()) != 0);
    }
    // Equal resources: the blocks move.
    cpp::memory_resource other;
    auto moved = decltype(map)(std::move(map), &other);
    EXPECT_EQ(moved.size(), 1000u);
  }
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

TEST_F(CppTest, ResourceFeedsPools) {
  {
    std::pmr::unsynchronized_pool_resource pool(cpp::resource());
    std::pmr::monotonic_buffer_resource buffer(cpp::resource());
    std::pmr::vector<std::pmr::string> strings(&pool);
    for (int i = 0; i < 1000; ++i) strings.emplace_back(100, 'x');
    std::pmr::list<int> list(&buffer);
    for (int i = 0; i < 1000; ++i) list.push_back(i);
    EXPECT_EQ(std::accumulate(list.begin(), list.end(), 0), 999 * 500);
  }
  EXPECT_EQ(GetStats().blocks_live, 0u);
}

}  // namespace
}  // namespace contract
