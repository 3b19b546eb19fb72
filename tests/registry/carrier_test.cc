// A shared object that brings the registry, into a program that does not link
// it: it attaches what is loaded, and takes itself along when it is closed.
#include <csignal>
#include <cstdio>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "registry/registry.h"
#include "tests/registry/a_heap.h"
#include "tests/registry/b_heap.h"
#include "tests/registry/opened.h"

namespace registry_tests {
namespace {

#define EXPECT_LINE(statement, matcher) \
  EXPECT_EXIT(statement, testing::KilledBySignal(SIGABRT), matcher)

alcove_foreign_owner_hook HookOf(const std::string& prefix) {
  return *WithPrefix(prefix).at(0).stated.foreign_owner_hook;
}

TEST(CarrierDeathTest, LeavesNoHookBehind) {
  void* const block = b_malloc(100);
  EXPECT_EQ(HookOf("a_"), nullptr);
  {
    Opened carrier(std::string(kDirectory) + "libcarrier.so");
    EXPECT_NE(HookOf("a_"), nullptr);
    EXPECT_LINE(a_free(block), testing::HasSubstr("it belongs to alcove[b_] "));
    // A second one finds the first there and leaves it, also when it goes.
    const alcove_foreign_owner_hook first = HookOf("a_");
    const std::string copy = Copies("libcarrier.so", 1)[0];
    {
      Opened other(copy);
      EXPECT_EQ(HookOf("a_"), first);
    }
    EXPECT_EQ(HookOf("a_"), first);
  }
  EXPECT_EQ(HookOf("a_"), nullptr);
  EXPECT_EQ(HookOf("b_"), nullptr);
  EXPECT_LINE(a_free(block), testing::Not(testing::HasSubstr("it belongs to")));
  b_free(block);
  EXPECT_EQ(b_shutdown(), 0);
}

}  // namespace
}  // namespace registry_tests
