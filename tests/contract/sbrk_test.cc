// sbrk: a private break, beside malloc.
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/contract/arena.h"
#include "tests/contract/contract.h"

namespace contract {
namespace {

using SbrkTest = ContractTest;

void* const kFailed = reinterpret_cast<void*>(-1);

TEST_F(SbrkTest, MovesAPrivateBreak) {
  void* const process = ::sbrk(0);
  auto* const start = static_cast<char*>(subject::sbrk(0));
  ASSERT_NE(start, kFailed);
  EXPECT_EQ(subject::sbrk(1000), start);
  EXPECT_TRUE(IsZero(start, 1000));
  EXPECT_EQ(subject::sbrk(24), start + 1000);
  EXPECT_EQ(subject::sbrk(-1024), start + 1024);
  EXPECT_EQ(subject::sbrk(0), start);
  EXPECT_EQ(::sbrk(0), process);
}

TEST_F(SbrkTest, BesideMalloc) {
  std::vector<char*> pieces;
  std::vector<void*> blocks;
  for (size_t i = 1; i < 200; ++i) {
    pieces.push_back(static_cast<char*>(subject::sbrk(100)));
    ASSERT_NE(pieces.back(), kFailed);
    Fill(pieces.back(), 100, i);
    blocks.push_back(subject::malloc(i * 50));
    Fill(blocks.back(), i * 50, i);
    if (i > 1) {
      ASSERT_EQ(pieces[i - 1], pieces[i - 2] + 100);
    }
  }
  EXPECT_EQ(GetStats().bytes_break, 19900u);
  for (size_t i = 1; i < 200; ++i) {
    ASSERT_TRUE(Holds(pieces[i - 1], 100, i));
    ASSERT_TRUE(Holds(blocks[i - 1], i * 50, i));
    subject::free(blocks[i - 1]);
  }
  EXPECT_EQ(subject::owns(pieces[0]), 1);
  EXPECT_EQ(subject::owns(pieces[198] + 99), 1);
  EXPECT_EQ(subject::owns(pieces[198] + 100), 0);
}

TEST_F(SbrkTest, SaysWhenThereIsNoMore) {
  for (const intptr_t n : {intptr_t{-1}, INTPTR_MIN, INTPTR_MAX}) {
    EXPECT_EQ(ErrnoAfter([&] { EXPECT_EQ(subject::sbrk(n), kFailed); }),
              ErrnoOf(ENOMEM))
        << n;
  }
}

TEST_F(SbrkTest, ShutdownEndsIt) {
  ASSERT_NE(subject::sbrk(100000), kFailed);
  EXPECT_EQ(subject::shutdown(), 0);
  EXPECT_EQ(GetStats().bytes_reserved, 0u);
  EXPECT_EQ(GetStats().bytes_break, 0u);
  auto* const start = static_cast<char*>(subject::sbrk(100000));
  EXPECT_TRUE(IsZero(start, 100000));
}

TEST_F(SbrkTest, WhatIsBelowItIsNoBlock) {
  auto* const piece = static_cast<char*>(subject::sbrk(1000));
  EXPECT_STOPS(subject::free(piece),
               Line("free of memory that is in no block, at", piece));
  EXPECT_STOPS(subject::realloc(piece + 16, 8),
               Line("size or realloc asked of memory that is in no block, at",
                    piece + 16));
}

}  // namespace
}  // namespace contract
