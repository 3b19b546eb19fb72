// absl's containers in arenas. Compiled for each variant, as arena_cpp_test.cc.
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include SUBJECT_HEADER

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

namespace cpp = ::SUBJECT_NAMESPACE;
using ArenaAbslTest = ContractTest;

template <typename T>
using Allocator = cpp::arena_allocator<T>;
using String = std::basic_string<char, std::char_traits<char>, Allocator<char>>;
using Numbers = absl::flat_hash_map<int, int, absl::Hash<int>, std::equal_to<>,
                                    Allocator<std::pair<const int, int>>>;

TEST_F(ArenaAbslTest, FlatHashMap) {
  cpp::arena one, two;
  {
    Numbers numbers(one.allocator<std::pair<const int, int>>());
    for (int i = 0; i < 10000; ++i) numbers[i] = -i;
    for (int i = 0; i < 10000; i += 2) numbers.erase(i);
    EXPECT_EQ(numbers.size(), 5000u);
    EXPECT_EQ(numbers.at(9999), -9999);
    EXPECT_GT(one.stats().bytes_live, 10000 * sizeof(int));
    EXPECT_EQ(subject::arena_of(&*numbers.begin()),
              reinterpret_cast<subject::Arena*>(one.handle()));

    Numbers copy(numbers, two.allocator<std::pair<const int, int>>());
    EXPECT_EQ(copy, numbers);
    EXPECT_GT(two.stats().blocks_live, 0u);
    swap(copy, numbers);
    EXPECT_EQ(copy.get_allocator().arena(), one.handle());
    numbers = std::move(copy);
    EXPECT_EQ(numbers.get_allocator().arena(), one.handle());
    EXPECT_EQ(numbers.size(), 5000u);
    Numbers moved(std::move(numbers));
    EXPECT_EQ(moved.at(1), -1);
    EXPECT_EQ(moved.get_allocator().arena(), one.handle());
  }
  EXPECT_EQ(one.stats().blocks_live, 0u);
  EXPECT_EQ(two.stats().blocks_live, 0u);
  EXPECT_EQ(GetStats().blocks_live, 0u) << "nothing in the main heap";
}

// Keys and values in the arena, too; all of it left to the arena.
TEST_F(ArenaAbslTest, FlatHashMapOfStrings) {
  for (const uint32_t mode : {0, 1}) {
    cpp::arena arena({.mode = mode});
    using Pair = std::pair<const String, String>;
    using Map =
        absl::flat_hash_map<String, String, std::hash<std::string_view>,
                            std::equal_to<std::string_view>, Allocator<Pair>>;
    Map& map = *arena.make<Map>(arena.allocator<Pair>());
    const auto text = [&](const std::string& of) {
      return String(of + ", and long enough to need a block",
                    arena.allocator<char>());
    };
    for (int i = 0; i < 3000; ++i)
      map.emplace(text(std::to_string(i)), text("value"));
    EXPECT_EQ(map.count(text("2999")), 1u);
    EXPECT_EQ(map.count(text("3000")), 0u);
    EXPECT_GT(arena.stats().blocks_live, 6000u);
    EXPECT_EQ(GetStats().blocks_live, 0u);
  }
}

}  // namespace
}  // namespace contract
