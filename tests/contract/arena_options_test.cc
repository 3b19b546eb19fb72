// What arenas may be asked for, and what makes no sense.
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using ArenaOptionsTest = ContractTest;

TEST_F(ArenaOptionsTest, NullMeansAGeneralArenaWithoutBounds) {
  subject::Arena* const arena = subject::arena_create(nullptr);
  ASSERT_NE(arena, nullptr);
  const subject::ArenaStats stats = StatsOf(arena);
  EXPECT_STREQ(stats.name, "");
  EXPECT_EQ(stats.mode, subject::kGeneral);
  EXPECT_EQ(stats.hard_quota, 0u);
  EXPECT_EQ(stats.soft_quota, 0u);
  EXPECT_NE(subject::arena_malloc(arena, 4 * kMiB), nullptr);
  subject::arena_destroy(arena);
}

// ---- The struct's size ----

TEST_F(ArenaOptionsTest, WhatAShorterStructLacksIsZero) {
  subject::ArenaOptions options = {};
  options.name = "short";
  options.mode = 77;  // beyond what is read
  options.hard_quota = kMiB;
  for (const size_t size : {offsetof(subject::ArenaOptions, parent),
                            offsetof(subject::ArenaOptions, soft_quota),
                            offsetof(subject::ArenaOptions, alignment),
                            offsetof(subject::ArenaOptions, reserve),
                            offsetof(subject::ArenaOptions, mode)}) {
    options.struct_size = size;
    ScopedArena arena(options);
    EXPECT_STREQ(StatsOf(arena).name, "short") << size;
    EXPECT_EQ(StatsOf(arena).mode, subject::kGeneral) << size;
    EXPECT_EQ(StatsOf(arena).hard_quota,
              size > offsetof(subject::ArenaOptions, hard_quota) ? kMiB : 0);
  }
  options.struct_size = sizeof(size_t);
  ScopedArena nameless(options);
  EXPECT_STREQ(StatsOf(nameless).name, "");
}

TEST_F(ArenaOptionsTest, RefusesWhatHasNoRoomForItsSize) {
  for (size_t size = 0; size < sizeof(size_t); ++size) {
    subject::ArenaOptions options = Options();
    options.struct_size = size;
    subject::Arena* arena = nullptr;
    EXPECT_EQ(ErrnoAfter([&] { arena = subject::arena_create(&options); }),
              ErrnoOf(EINVAL))
        << size;
    EXPECT_EQ(arena, nullptr) << size;
  }
}

// A program that was built for a later version, with more options.
struct LaterOptions {
  subject::ArenaOptions known = Options();
  uint64_t more[4] = {};
  LaterOptions() { known.struct_size = sizeof(*this); }
};

TEST_F(ArenaOptionsTest, OptionsOfALaterVersionMustBeZero) {
  LaterOptions later;
  later.known.name = "later";
  ScopedArena arena(later.known);
  EXPECT_STREQ(StatsOf(arena).name, "later");
  for (size_t byte = 0; byte < sizeof(later.more); ++byte) {
    LaterOptions unknown;
    reinterpret_cast<unsigned char*>(unknown.more)[byte] = 1;
    subject::Arena* made = nullptr;
    EXPECT_EQ(ErrnoAfter([&] { made = subject::arena_create(&unknown.known); }),
              ErrnoOf(EINVAL));
    EXPECT_EQ(made, nullptr) << "an option that nobody here knows was ignored";
  }
}

// ---- What makes no sense ----

TEST_F(ArenaOptionsTest, RefusesWhatMakesNoSense) {
  std::vector<subject::ArenaOptions> all;
  for (const size_t alignment :
       {size_t{3}, size_t{24}, size_t{4095}, size_t{8192}, size_t{65536},
        size_t{1} << 63, SIZE_MAX}) {
    all.push_back(Options());
    all.back().alignment = alignment;
  }
  for (const uint32_t mode : {2u, 3u, 0x80000000u, 0xFFFFFFFFu})
    all.push_back(Options(mode));
  for (const uint32_t flags : {1u, 0x80000000u, 0xFFFFFFFFu}) {
    all.push_back(Options());
    all.back().flags = flags;
  }
  for (const subject::ArenaOptions& options : all) {
    subject::Arena* arena = nullptr;
    EXPECT_EQ(ErrnoAfter([&] { arena = subject::arena_create(&options); }),
              ErrnoOf(EINVAL));
    EXPECT_EQ(arena, nullptr) << "alignment " << options.alignment << ", mode "
                              << options.mode << ", flags " << options.flags;
    subject::arena_destroy(arena);
  }
  EXPECT_EQ(GetStats().arenas, 0u);
}

TEST_F(ArenaOptionsTest, ErrnoOfSuccess) {
  EXPECT_EQ(ErrnoAfter([] {
              ScopedArena arena;
              void* const block = subject::arena_malloc(arena, 100);
              subject::arena_realloc(arena, block, 5000);
              subject::arena_reset(arena);
            }),
            kUntouched);
}

// ---- Names ----

TEST_F(ArenaOptionsTest, NamesAreCopiedAndCutAt31Bytes) {
  for (const size_t length : {0, 1, 30, 31, 32, 33, 300}) {
    std::string name(length, 'n');
    subject::ArenaOptions options = Options();
    options.name = name.c_str();
    ScopedArena arena(options);
    const std::string expected = name.substr(0, 31);
    name.assign(length, 'x');
    EXPECT_EQ(StatsOf(arena).name, expected);
  }
}

// ---- Quotas and reserve ----

TEST_F(ArenaOptionsTest, QuotasAreShownAsTheyWereGiven) {
  subject::ArenaOptions options = Options();
  options.hard_quota = 123456;
  options.soft_quota = 65537;  // without a callback
  ScopedArena arena(options);
  EXPECT_EQ(StatsOf(arena).hard_quota, 123456u);
  EXPECT_EQ(StatsOf(arena).soft_quota, 65537u);
}

TEST_F(ArenaOptionsTest, ReserveIsTakenButNotHeld) {
  const size_t spans = GetStats().bytes_spans;
  for (const uint32_t mode : {subject::kGeneral, subject::kMonotonic}) {
    subject::ArenaOptions options = Options(mode);
    options.reserve = kMiB;  // all that the smallest region grants
    ScopedArena arena(options);
    EXPECT_EQ(StatsOf(arena).bytes_held, 0u);
    EXPECT_GE(StatsOf(arena).bytes_mapped, kMiB);
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) {
      blocks.push_back(subject::arena_malloc(arena, 500));
      Fill(blocks.back(), 500, i);
    }
    // It serves: nothing more is needed for what fits.
    EXPECT_LE(StatsOf(arena).bytes_mapped, kMiB + kUnit);
    EXPECT_GE(StatsOf(arena).bytes_held, 1000 * 500u);
    // And what goes beyond is only slower.
    Fill(subject::arena_malloc(arena, 5 * kMiB), 5 * kMiB, 1);
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(Holds(blocks[i], 500, i));
    subject::arena_reset(arena);
    EXPECT_EQ(StatsOf(arena).bytes_held, 0u);
    arena.Destroy();
    subject::purge();  // the thread's warm memory
    EXPECT_TRUE(Quarantines() || GetStats().bytes_spans == spans)
        << "the reserve was kept";
  }
}

TEST_F(ArenaOptionsTest, AnAbsurdReserveIsOnlyAHint) {
  for (const size_t reserve : {size_t{1} << 46, size_t{1} << 62, SIZE_MAX}) {
    subject::ArenaOptions options = Options();
    options.reserve = reserve;
    ScopedArena arena(options);
    EXPECT_NE(subject::arena_malloc(arena, 100), nullptr) << reserve;
  }
}

TEST_F(ArenaOptionsTest, AReserveBeyondTheQuotaIsNoError) {
  subject::ArenaOptions options = Options();
  options.hard_quota = kMiB;
  options.reserve = 4 * kMiB;
  ScopedArena arena(options);
  EXPECT_NE(subject::arena_malloc(arena, 100), nullptr);
  EXPECT_EQ(subject::arena_malloc(arena, 2 * kMiB), nullptr);
}

}  // namespace
}  // namespace contract
