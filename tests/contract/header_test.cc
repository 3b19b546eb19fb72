// The public headers where they have to compile: C17, and C++ without
// exceptions and RTTI.
#include <csignal>

#include "gtest/gtest.h"
#include "tests/contract/c17_user.h"
#include "tests/contract/inline_user.h"
#include "tests/contract/plain_user.h"

namespace {

TEST(HeaderTest, InC17) { EXPECT_EQ(UseFromC(), 0); }

TEST(HeaderTest, WithoutExceptionsAndRtti) {
  EXPECT_TRUE(UseWithoutExceptions());
  EXPECT_TRUE(UseArenasWithoutExceptions());
}

TEST(HeaderTest, InlinedWithoutExceptionsAndRtti) { EXPECT_TRUE(UseInlined()); }

// What cannot throw must not return either.
TEST(HeaderDeathTest, WithoutExceptionsFailureStops) {
  EXPECT_DEATH(FailWithoutExceptions(), "");
  EXPECT_DEATH(FailInAnArenaWithoutExceptions(), "");
  EXPECT_DEATH(FailInlined(), "");
}

}  // namespace
