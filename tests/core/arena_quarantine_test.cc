// With `arena_quarantine` a late free is noticed however many arenas were made
// since, up to the knob's number of runs; without it only until the units are
// used again.
#include "core/arena/arenas.h"
#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

using ArenaQuarantineTest = InstanceTest;
using ArenaQuarantineDeathTest = InstanceTest;

TEST_F(ArenaQuarantineTest, UnitsStayOutOfUse) {
  if (Config::kArenaQuarantine == 0) GTEST_SKIP() << "the knob is off";
  const auto unit_of = [](void* p) { return AddressOf(p) / kUnit; };
  uintptr_t before[64];
  ASSERT_LE(64u, Config::kArenaQuarantine);
  for (unsigned i = 0; i < 64; ++i) {
    test_arena* const arena = test_arena_create(nullptr);
    void* const block = test_arena_malloc(arena, 100);
    ASSERT_NE(block, nullptr);
    before[i] = unit_of(block);
    for (unsigned j = 0; j < i; ++j) ASSERT_NE(before[i], before[j]) << i;
    test_arena_destroy(arena);
  }
}

TEST_F(ArenaQuarantineTest, NoMoreThanTheKnobSays) {
  for (unsigned i = 0; i < 2000; ++i) {
    test_arena* const arena = test_arena_create(nullptr);
    void* const block = test_arena_malloc(arena, 3 * kUnit);
    ASSERT_NE(block, nullptr);
    Fill(block, 100, i);
    test_arena_destroy(arena);
  }
  const size_t most = (Config::kArenaQuarantine + 1) * 3 * kUnit;
  EXPECT_LE(Stats().bytes_spans, most);
}

TEST_F(ArenaQuarantineDeathTest, ALateFreeIsNoticed) {
  if (Config::kArenaQuarantine == 0) GTEST_SKIP() << "the knob is off";
  test_arena_options options = {};
  options.struct_size = sizeof(options);
  options.name = "first";
  test_arena* const first = test_arena_create(&options);
  void* const block = test_arena_malloc(first, 100);
  test_arena_destroy(first);
  for (unsigned i = 0; i < 20; ++i) {
    test_arena* const arena = test_arena_create(nullptr);
    test_arena_malloc(arena, 100);
    test_arena_destroy(arena);
  }
  EXPECT_DEATH(test_free(block),
               "alcove\\[test_\\]: free of 0x[0-9a-f]+, a block of arena "
               "[0-9]+ \\(first\\), which is gone");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
