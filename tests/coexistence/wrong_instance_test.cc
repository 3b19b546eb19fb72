// A block that comes to an instance which it is not of stops the process, with
// this line, word for word. OWNER_NAMED: //registry:name_owners is linked.
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coexistence/heaps.h"

namespace coexistence {
namespace {

constexpr char kFree[] = "free of memory that is not this instance's, at";
constexpr char kUse[] =
    "size or realloc asked of memory that is not this instance's, at";

std::string Line(const Heap& by, const char* what, const void* block,
                 const Heap* owner) {
  char text[400];
  if (OWNER_NAMED && owner != nullptr) {
    std::snprintf(text, sizeof(text),
                  "alcove[%s]: %s %p: it belongs to alcove[%s] %s (%s)\n",
                  by.prefix, what, block, owner->prefix, owner->version,
                  owner->label);
  } else {
    std::snprintf(text, sizeof(text), "alcove[%s]: %s %p\n", by.prefix, what,
                  block);
  }
  return text;
}

#define EXPECT_STOPS(statement, line) \
  EXPECT_EXIT(statement, testing::KilledBySignal(SIGABRT), testing::Eq(line))

struct Pair {
  const Heap* by;
  const Heap* owner;  // null: malloc
};

std::vector<Pair> Pairs() {
  std::vector<Pair> pairs;
  for (const Heap& by : Heaps()) {
    pairs.push_back({&by, nullptr});
    for (const Heap& owner : Heaps()) {
      if (&by != &owner) pairs.push_back({&by, &owner});
    }
  }
  return pairs;
}

class WrongInstanceDeathTest : public testing::Test {
 protected:
  static void* Allocate(const Heap* owner) {
    return owner == nullptr ? std::malloc(100) : owner->functions.malloc(100);
  }
  static void Free(const Heap* owner, void* block) {
    owner == nullptr ? std::free(block) : owner->functions.free(block);
  }
  ~WrongInstanceDeathTest() override {
    for (const Heap& heap : Heaps()) EXPECT_EQ(heap.shutdown(), 0);
  }
};

// Old into new, new into old, another configuration, another name, jemalloc's:
// every pair there is.
TEST_F(WrongInstanceDeathTest, Free) {
  ASSERT_TRUE(MallocIsJemalloc());
  for (const auto& [by, owner] : Pairs()) {
    void* const block = Allocate(owner);
    by->functions.free(by->functions.malloc(1));
    EXPECT_STOPS(by->functions.free(block), Line(*by, kFree, block, owner));
    Free(owner, block);
  }
}

TEST_F(WrongInstanceDeathTest, FreeOfAnInstanceThatWasNeverUsed) {
  const Heap& by = Heaps()[0];
  for (const Heap& owner : Heaps()) {
    if (&owner == &by) continue;
    void* const block = Allocate(&owner);
    EXPECT_STOPS(by.functions.free(block), Line(by, kFree, block, &owner));
    Free(&owner, block);
  }
}

// For the other calls: an instance's neighbours in the list, which are of other
// configurations and versions, and malloc.
std::vector<Pair> SomePairs() {
  std::vector<Pair> pairs;
  for (size_t i = 0; i < kHeaps; ++i) {
    pairs.push_back({&Heaps()[i], nullptr});
    for (const size_t distance : {1, 2, 6})
      pairs.push_back({&Heaps()[i], &Heaps()[(i + distance) % kHeaps]});
  }
  return pairs;
}

TEST_F(WrongInstanceDeathTest, Realloc) {
  for (const auto& [by, owner] : SomePairs()) {
    void* const block = Allocate(owner);
    EXPECT_STOPS(static_cast<void>(by->functions.realloc(block, 200)),
                 Line(*by, kUse, block, owner));
    Free(owner, block);
  }
}

TEST_F(WrongInstanceDeathTest, UsableSize) {
  for (const auto& [by, owner] : SomePairs()) {
    void* const block = Allocate(owner);
    EXPECT_STOPS(static_cast<void>(by->functions.malloc_usable_size(block)),
                 Line(*by, kUse, block, owner));
    Free(owner, block);
  }
}

}  // namespace
}  // namespace coexistence
