// The C++ part of the public header: arena, what it makes, and its resource.
// Compiled for each variant, with SUBJECT_HEADER, SUBJECT_PREFIX and
// SUBJECT_NAMESPACE.
#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include SUBJECT_HEADER
#include SUBJECT_INLINE_HEADER

#include "tests/contract/contract.h"

namespace contract {
namespace {

namespace cpp = ::SUBJECT_NAMESPACE;
using ArenaCppTest = ContractTest;

static_assert(!std::is_copy_constructible_v<cpp::arena>);
static_assert(!std::is_copy_assignable_v<cpp::arena>);
static_assert(std::is_nothrow_move_constructible_v<cpp::arena>);
static_assert(std::is_nothrow_move_assignable_v<cpp::arena>);
static_assert(std::is_nothrow_destructible_v<cpp::arena>);
// Options are not taken for an arena unasked, and a handle, or null, never is.
static_assert(!std::is_convertible_v<cpp::arena_options, cpp::arena>);
static_assert(!std::is_constructible_v<
              cpp::arena, decltype(std::declval<cpp::arena>().handle())>);
static_assert(!std::is_constructible_v<cpp::arena, std::nullptr_t>);

uint64_t BlocksIn(const cpp::arena& arena) { return arena.stats().blocks_live; }

// ---- Life ----

TEST_F(ArenaCppTest, LivesAsLongAsTheObject) {
  {
    cpp::arena arena;
    EXPECT_TRUE(arena);
    EXPECT_NE(arena.handle(), nullptr);
    EXPECT_EQ(GetStats().arenas, 1u);
    const cpp::arena other;
    EXPECT_EQ(GetStats().arenas, 2u);
  }
  EXPECT_EQ(GetStats().arenas, 0u);
}

TEST_F(ArenaCppTest, TakesOptions) {
  cpp::arena parent({.name = "parent", .hard_quota = 4 * kMiB});
  cpp::arena arena({.name = "request",
                    .parent = parent.handle(),
                    .hard_quota = kMiB,
                    .soft_quota = kMiB / 2,
                    .alignment = 64,
                    .reserve = kMiB / 4,
                    .mode = 1});
  const auto stats = arena.stats();
  EXPECT_STREQ(stats.name, "request");
  EXPECT_EQ(stats.hard_quota, kMiB);
  EXPECT_EQ(stats.soft_quota, kMiB / 2);
  EXPECT_EQ(stats.mode, 1u);
  EXPECT_EQ(parent.stats().children, 1u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.allocate(1)) % 64, 0u);
}

TEST_F(ArenaCppTest, OptionsThatMakeNoSenseThrow) {
  EXPECT_THROW(cpp::arena({.alignment = 3}), std::bad_alloc);
  EXPECT_THROW(cpp::arena({.mode = 2}), std::bad_alloc);
}

TEST_F(ArenaCppTest, SoftQuotaCalls) {
  int calls = 0;
  cpp::arena arena(
      {.soft_quota = 128 * kKiB,
       .on_soft_quota = [](auto*, size_t,
                           void* context) { ++*static_cast<int*>(context); },
       .context = &calls});
  (void)arena.allocate(kMiB);
  EXPECT_EQ(calls, 1);
}

TEST_F(ArenaCppTest, MovesTakeTheArenaAlong) {
  cpp::arena first;
  auto* const handle = first.handle();
  void* const block = first.allocate(100);
  Fill(block, 100, 1);
  auto* const resource = first.resource();
  cpp::arena second(std::move(first));
  EXPECT_FALSE(first);
  EXPECT_EQ(first.handle(), nullptr);
  EXPECT_EQ(second.handle(), handle);
  EXPECT_EQ(second.resource(), resource) << "containers point to it";
  EXPECT_EQ(GetStats().arenas, 1u);

  cpp::arena third;
  third = std::move(second);
  EXPECT_FALSE(second);
  EXPECT_EQ(third.handle(), handle);
  EXPECT_EQ(GetStats().arenas, 1u) << "what it was before goes";
  EXPECT_TRUE(Holds(block, 100, 1));

  cpp::arena& itself = third;
  third = std::move(itself);
  EXPECT_EQ(third.handle(), handle);
  std::swap(first, third);
  EXPECT_EQ(first.handle(), handle);
  EXPECT_EQ(first.resource(), resource);
  EXPECT_TRUE(Holds(block, 100, 1));
  // One that was moved from can be assigned to.
  third = cpp::arena();
  EXPECT_TRUE(third);
  EXPECT_NE(third.resource(), resource);
}

TEST_F(ArenaCppTest, LivesInContainers) {
  std::vector<cpp::arena> arenas;
  for (int i = 0; i < 20; ++i) {
    arenas.emplace_back();
    Fill(arenas.back().allocate(64), 64, i);
  }
  EXPECT_EQ(GetStats().arenas, 20u);
  arenas.erase(arenas.begin() + 3, arenas.begin() + 8);
  EXPECT_EQ(GetStats().arenas, 15u);
  for (const cpp::arena& arena : arenas) EXPECT_EQ(BlocksIn(arena), 1u);
}

TEST_F(ArenaCppTest, HandlesComeAndGo) {
  cpp::arena arena;
  auto* const handle = arena.release();
  EXPECT_FALSE(arena);
  EXPECT_EQ(GetStats().arenas, 1u);
  cpp::arena owner = cpp::arena::adopt(handle);
  EXPECT_EQ(owner.handle(), handle);
  EXPECT_NE(owner.allocate(8), nullptr);
  EXPECT_FALSE(cpp::arena::adopt(nullptr));
}

// ---- Blocks ----

TEST_F(ArenaCppTest, AllocatesAndThrows) {
  cpp::arena arena({.hard_quota = 4 * kMiB});
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    void* const block = arena.allocate(40, alignment);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(arena.allocate(1)) % 16, 0u);
    arena.deallocate(block);
  }
  EXPECT_THROW((void)arena.allocate(5 * kMiB), std::bad_alloc);
  EXPECT_THROW((void)arena.allocate(SIZE_MAX), std::bad_alloc);
  EXPECT_THROW((void)arena.allocate(8, 3), std::bad_alloc);
  arena.reset();
  EXPECT_EQ(BlocksIn(arena), 0u);
  EXPECT_NE(arena.allocate(kMiB / 2), nullptr);
}

// Frees at the call site know a block of an arena, as free does.
TEST_F(ArenaCppTest, InlinedFreesKnowArenas) {
  for (const uint32_t mode : {0, 1}) {
    cpp::arena arena({.mode = mode});
    cpp::inlined::deallocate<256>(cpp::inlined::allocate<256>());
    for (int i = 0; i < 1000; ++i) {
      void* const block = arena.allocate(256);
      cpp::inlined::deallocate<256>(block);
      void* const other = cpp::inlined::allocate<256>();
      EXPECT_EQ(subject::arena_of(other), nullptr);
      cpp::inlined::deallocate<256>(other);
    }
    EXPECT_EQ(BlocksIn(arena), 0u);
  }
}

// ---- Objects ----

struct Counted {
  explicit Counted(int value, bool fail = false) : value(value) {
    if (fail) throw std::runtime_error("as told");
    ++alive;
  }
  Counted(const Counted&) = delete;
  ~Counted() { --alive; }
  int value;
  static int alive;
};
int Counted::alive = 0;

TEST_F(ArenaCppTest, UniqueObjects) {
  cpp::arena arena;
  {
    auto object = arena.make_unique<Counted>(5);
    EXPECT_EQ(object->value, 5);
    EXPECT_EQ(Counted::alive, 1);
    EXPECT_EQ(BlocksIn(arena), 1u);
    static_assert(sizeof(object) == sizeof(void*));
    auto moved = std::move(object);
    EXPECT_EQ(BlocksIn(arena), 1u);
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(BlocksIn(arena), 0u);
}

TEST_F(ArenaCppTest, ConstructorsThatThrowLeaveNoBlock) {
  cpp::arena arena;
  EXPECT_THROW(arena.make_unique<Counted>(1, true), std::runtime_error);
  EXPECT_THROW(arena.make<Counted>(1, true), std::runtime_error);
  EXPECT_THROW(arena.make_shared<Counted>(1, true), std::runtime_error);
  EXPECT_EQ(BlocksIn(arena), 0u);
  EXPECT_EQ(Counted::alive, 0);
}

TEST_F(ArenaCppTest, ObjectsBeyondTheQuotaThrow) {
  cpp::arena arena({.hard_quota = 128 * kKiB});
  using Big = std::array<char, 256 * 1024>;
  EXPECT_THROW(arena.make_unique<Big>(), std::bad_alloc);
  EXPECT_THROW(arena.make<Big>(), std::bad_alloc);
  EXPECT_THROW(arena.make_shared<Big>(), std::bad_alloc);
  EXPECT_EQ(BlocksIn(arena), 0u);
}

TEST_F(ArenaCppTest, ObjectsThatNobodyDestroys) {
  {
    cpp::arena arena;
    Counted* const object = arena.make<Counted>(7);
    EXPECT_EQ(object->value, 7);
    EXPECT_EQ(BlocksIn(arena), 1u);
  }
  EXPECT_EQ(Counted::alive, 1) << "the arena runs no destructors";
  Counted::alive = 0;
}

TEST_F(ArenaCppTest, SharedObjects) {
  cpp::arena arena;
  std::weak_ptr<Counted> weak;
  {
    std::shared_ptr<Counted> object = arena.make_shared<Counted>(9);
    weak = object;
    EXPECT_EQ(subject::arena_of(object.get()),
              reinterpret_cast<subject::Arena*>(arena.handle()));
    EXPECT_EQ(BlocksIn(arena), 1u) << "with the control block";
    std::shared_ptr<Counted> copy = object;
    object.reset();
    EXPECT_EQ(copy->value, 9);
  }
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(BlocksIn(arena), 1u);
  weak.reset();
  EXPECT_EQ(BlocksIn(arena), 0u);
  EXPECT_EQ(GetStats().blocks_live, 0u) << "nothing in the main heap";
}

template <size_t kAlignment>
struct alignas(kAlignment) Aligned {
  char bytes[kAlignment];
};

template <size_t kAlignment>
void ExpectAlignedObjects() {
  cpp::arena arena;
  const auto is_aligned = [](const void* object) {
    return reinterpret_cast<uintptr_t>(object) % kAlignment == 0;
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(is_aligned(arena.make<Aligned<kAlignment>>())) << kAlignment;
    const auto shared = arena.make_shared<Aligned<kAlignment>>();
    EXPECT_TRUE(is_aligned(shared.get())) << kAlignment;
    const auto unique = arena.make_unique<Aligned<kAlignment>>();
    EXPECT_TRUE(is_aligned(unique.get())) << kAlignment;
  }
}

TEST_F(ArenaCppTest, AlignsEveryType) {
  ExpectAlignedObjects<1>();
  ExpectAlignedObjects<16>();
  ExpectAlignedObjects<32>();
  ExpectAlignedObjects<64>();
  ExpectAlignedObjects<4096>();
}

// By a base that does not lie where the object begins.
struct Left {
  virtual ~Left() = default;
  char left[40];
};
struct Right {
  virtual ~Right() { ++destroyed; }
  static int destroyed;
};
int Right::destroyed = 0;
struct Both : Left, Right {};

TEST_F(ArenaCppTest, ObjectsGoByAnyBase) {
  cpp::arena arena;
  {
    std::unique_ptr<Right, cpp::arena_delete<Right>> right =
        arena.make_unique<Both>();
    std::unique_ptr<const Left, cpp::arena_delete<const Left>> left =
        arena.make_unique<Both>();
    EXPECT_EQ(BlocksIn(arena), 2u);
  }
  EXPECT_EQ(Right::destroyed, 2);
  EXPECT_EQ(BlocksIn(arena), 0u);
  // A plain object, and one that is constant.
  *arena.make_unique<int>(3) = 4;
  EXPECT_EQ(*arena.make_unique<const int>(3), 3);
  EXPECT_EQ(BlocksIn(arena), 0u);
}

}  // namespace
}  // namespace contract
