#include "core/base/give_way.h"

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

TEST(GiveWayTest, AsksTheSystemWhereThereIsOne) {
  const fake::CallCounter yields(Primitive::kYield);
  GiveWay();
  EXPECT_EQ(yields.calls(), Config::kSystemMemory ? 1u : 0u);
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
