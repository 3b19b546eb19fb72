#include "core/base/new.h"

#include <new>  // the standard placement new lives beside ours

#include "gtest/gtest.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

struct Thing {
  int a = 5;
  int* b = nullptr;
  alignas(64) char c[64] = {};
};

TEST(New, ConstructsInPlace) {
  alignas(Thing) unsigned char place[sizeof(Thing)];
  for (unsigned char& byte : place) byte = 0xee;
  Thing* const thing = Construct<Thing>(place);
  EXPECT_EQ(static_cast<void*>(thing), place);
  EXPECT_EQ(thing->a, 5);
  EXPECT_EQ(thing->b, nullptr);
  EXPECT_EQ(thing->c[63], 0);
}

TEST(New, DoesNotHideTheStandards) {
  alignas(int) unsigned char place[sizeof(int)];
  EXPECT_EQ(*new (static_cast<void*>(place)) int(3), 3);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
