// A program that replaces two operators replaces all that the standard says
// call them: none of its blocks may reach ours.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"

namespace {

// Before each block, and no instance would know such an address.
constexpr size_t kHeader = 16;
int live = 0;

}  // namespace

void* operator new(size_t size) {
  void* const block = malloc(size + kHeader);
  if (block == nullptr) throw std::bad_alloc();
  ++live;
  return static_cast<char*>(block) + kHeader;
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  --live;
  free(static_cast<char*>(block) - kHeader);
}

namespace {

TEST(ReplacedOperators, ServeTheWholeFamily) {
  const int before = live;
  operator delete(operator new(10), 10);
  operator delete[](operator new[](10));
  operator delete[](operator new[](10), 10);
  operator delete(operator new(10, std::nothrow), std::nothrow);
  operator delete[](operator new[](10, std::nothrow), std::nothrow);
  void* const block = operator new[](10, std::nothrow);
  EXPECT_EQ(live, before + 1);
  operator delete[](block);
  EXPECT_EQ(live, before);
}

TEST(ReplacedOperators, LeaveTheAlignedOnesAlone) {
  const int before = live;
  constexpr std::align_val_t kAlign{64};
  void* const block = operator new[](10, kAlign);
  EXPECT_EQ(live, before);
  operator delete[](block, 10, kAlign);
  EXPECT_EQ(live, before);
}

}  // namespace
