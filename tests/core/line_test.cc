#include "core/base/line.h"

#include <string>

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

class LineDeathTest : public testing::Test {
 protected:
  LineDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(LineDeathTest, OneLineThatNamesTheInstance) {
  EXPECT_EXIT(TextLine().Text("text").Stop(), testing::KilledBySignal(SIGABRT),
              "^alcove\\[test_\\]: text\n$");
}

TEST_F(LineDeathTest, Decimal) {
  EXPECT_DEATH(TextLine().Decimal(0).Stop(), ": 0\n");
  EXPECT_DEATH(TextLine().Decimal(1234567890).Stop(), ": 1234567890\n");
  EXPECT_DEATH(TextLine().Decimal(~size_t{0}).Stop(),
               ": 18446744073709551615\n");
}

TEST_F(LineDeathTest, Address) {
  const auto address = [](uintptr_t word) {
    return reinterpret_cast<void*>(word);
  };
  EXPECT_DEATH(TextLine().Address(nullptr).Stop(), ": 0x0\n");
  EXPECT_DEATH(TextLine().Address(address(0xabc)).Stop(), ": 0xabc\n");
  EXPECT_DEATH(TextLine().Address(address(0x10)).Stop(), ": 0x10\n");
  EXPECT_DEATH(TextLine().Address(address(0x7f0012345678)).Stop(),
               ": 0x7f0012345678\n");
  EXPECT_DEATH(TextLine().Address(address(~uintptr_t{0})).Stop(),
               ": 0xffffffffffffffff\n");
}

TEST_F(LineDeathTest, WhatDoesNotFitIsCutOff) {
  const std::string text(10000, 'x');
  EXPECT_EXIT(TextLine().Text(text.c_str()).Text("more").Decimal(1).Stop(),
              testing::KilledBySignal(SIGABRT), "^alcove\\[test_\\]: x+\n$");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
