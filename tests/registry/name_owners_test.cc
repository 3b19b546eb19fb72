// Where //registry:name_owners is linked, an instance that refuses memory says
// whose it is, word for word: users search for these lines.
#include "registry/name_owners.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/registry/a_heap.h"
#include "tests/registry/b_heap.h"
#include "tests/registry/c17_user.h"
#include "tests/registry/c_heap.h"
#include "tests/registry/opened.h"
#include "tests/registry/sandbox.h"

namespace registry_tests {
namespace {

constexpr char kFree[] = "free of memory that is not this instance's, at ";
constexpr char kUse[] =
    "size or realloc asked of memory that is not this instance's, at ";

std::string Line(const std::string& prefix, const std::string& what,
                 const void* address, const std::string& owner) {
  char text[32];
  std::snprintf(text, sizeof(text), "%p", address);
  return "alcove[" + prefix + "]: " + what + text +
         (owner.empty() ? "" : ": it belongs to " + owner) + "\n";
}

std::string Named(const std::string& prefix, const std::string& heap) {
  return "alcove[" + prefix + "] " + a_version() +
         " (//tests/registry:" + heap + ")";
}

#define EXPECT_STOPS(statement, line) \
  EXPECT_EXIT(statement, testing::KilledBySignal(SIGABRT), testing::Eq(line))

class NameOwnersDeathTest : public testing::Test {
 protected:
  NameOwnersDeathTest() : block(b_malloc(100)) {}
  ~NameOwnersDeathTest() override {
    b_free(block);
    EXPECT_EQ(b_shutdown(), 0);
  }
  void* block;
};

TEST_F(NameOwnersDeathTest, Free) {
  EXPECT_STOPS(a_free(block), Line("a_", kFree, block, Named("b_", "b_heap")));
}

TEST_F(NameOwnersDeathTest, FreeOfTheInsideOfALargeBlock) {
  char* const large = static_cast<char*>(b_malloc(10000000));
  EXPECT_STOPS(a_free(large + 5000000),
               Line("a_", kFree, large + 5000000, Named("b_", "b_heap")));
  b_free(large);
}

TEST_F(NameOwnersDeathTest, Realloc) {
  EXPECT_STOPS(static_cast<void>(a_realloc(block, 200)),
               Line("a_", kUse, block, Named("b_", "b_heap")));
}

TEST_F(NameOwnersDeathTest, UsableSize) {
  EXPECT_STOPS(static_cast<void>(a_malloc_usable_size(block)),
               Line("a_", kUse, block, Named("b_", "b_heap")));
}

TEST_F(NameOwnersDeathTest, SizedFree) {
  EXPECT_STOPS(a_free_sized(block, 100),
               Line("a_", kUse, block, Named("b_", "b_heap")));
  EXPECT_STOPS(a_free_aligned_sized(block, 16, 100),
               Line("a_", kUse, block, Named("b_", "b_heap")));
}

TEST_F(NameOwnersDeathTest, AllocatorsOfCpp) {
  const std::string owner = Named("b_", "b_heap");
  EXPECT_EXIT(a::allocator<char>().deallocate(static_cast<char*>(block), 100),
              testing::KilledBySignal(SIGABRT),
              testing::AnyOf(Line("a_", kUse, block, owner),
                             Line("a_", kFree, block, owner)));
}

TEST_F(NameOwnersDeathTest, MemoryOfNobody) {
  void* const other = std::malloc(100);
  EXPECT_STOPS(a_free(other), Line("a_", kFree, other, ""));
  std::free(other);
}

TEST_F(NameOwnersDeathTest, MemoryOfOneThatWasShutDown) {
  void* const gone = c_malloc(100);
  c_free(gone);
  ASSERT_EQ(c_shutdown(), 0);
  EXPECT_STOPS(a_free(gone), Line("a_", kFree, gone, ""));
}

TEST_F(NameOwnersDeathTest, WhereTheRegistryMayNotLook) {
  EXPECT_STOPS(
      {
        Refuse({{SYS_openat, EACCES}});
        a_free(block);
      },
      Line("a_", kFree, block, ""));
}

// Another misuse says what it ever said.
TEST_F(NameOwnersDeathTest, OnesOwnMemory) {
  void* const large = a_malloc(10000000);
  a_free(large);
  EXPECT_STOPS(
      a_free(large),
      Line("a_", "free of memory that is in no block, at ", large, ""));
}

TEST_F(NameOwnersDeathTest, AfterAShutdownAnInstanceStillNamesOwners) {
  ASSERT_EQ(a_shutdown(), 0);
  EXPECT_STOPS(a_free(block), Line("a_", kFree, block, Named("b_", "b_heap")));
}

TEST_F(NameOwnersDeathTest, AsUsedFromC) {
  EXPECT_EQ(registry_c17_count(block), 3);
  EXPECT_EQ(registry_c17_count(this), -1);
  EXPECT_EQ(registry_c17_attach(), &alcove_registry_attach);
}

// Opened later, it does so from alcove_registry_attach on; it is named at once.
TEST_F(NameOwnersDeathTest, SharedObjectsThatAreOpenedLater) {
  Opened plugin(std::string(kDirectory) + "libplugin.so");
  void* const theirs = plugin->malloc(100);
  EXPECT_STOPS(a_free(theirs),
               Line("a_", kFree, theirs, Named("plug_", "plug_heap")));
  EXPECT_STOPS(plugin->free(block), Line("plug_", kFree, block, ""));
  EXPECT_EQ(alcove_registry_attach(), 4);
  EXPECT_STOPS(plugin->free(block),
               Line("plug_", kFree, block, Named("b_", "b_heap")));
  EXPECT_STOPS(static_cast<void>(plugin->realloc(block, 10)),
               Line("plug_", kUse, block, Named("b_", "b_heap")));
  EXPECT_EQ(alcove_registry_attach(), 4);
  plugin->free(theirs);
  EXPECT_EQ(plugin->shutdown(), 0);
  plugin.Close();
  EXPECT_EQ(alcove_registry_attach(), 3);
}

}  // namespace
}  // namespace registry_tests
