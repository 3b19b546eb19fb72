// Processes of a kind that no sanitizer can stand.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "tests/registry/a_heap.h"
#include "tests/registry/opened.h"

namespace registry_tests {
namespace {

// The same shared object twice is two instances.
TEST(ProcessTest, AnotherNamespaceOfTheLoader) {
  Opened plugin(std::string(kDirectory) + "libplugin.so");
  Opened elsewhere(std::string(kDirectory) + "libplugin.so", true);
  const Entries entries = WithPrefix("plug_");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_NE(entries[0].object, entries[1].object);
  for (Opened* const opened : {&plugin, &elsewhere}) {
    void* const block = (*opened)->malloc(100);
    EXPECT_EQ(OwnerOf(block), "plug_");
    (*opened)->free(block);
    EXPECT_EQ((*opened)->shutdown(), 0);
    EXPECT_EQ(OwnerOf(block), "");
  }
}

// 'Z' once it has ended. (pthread_join of newer glibcs waits for what a thread
// that ends by itself does not do.)
char StateOfFirstThread() {
  std::ifstream file("/proc/" + std::to_string(getpid()) + "/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  const size_t end = text.rfind(')');  // of the program's name
  return end == text.npos || end + 2 >= text.size() ? '?' : text[end + 2];
}

// The first thread of a process gives its name to it, and may end first.
TEST(ProcessDeathTest, TheFirstThreadMayHaveEnded) {
  EXPECT_EXIT(
      {
        std::thread([] {
          while (StateOfFirstThread() != 'Z') std::this_thread::yield();
          void* const block = a_malloc(100);
          _exit(OwnerOf(block) == "a_" && List().size() == 1 ? 7 : 8);
        }).detach();
        syscall(SYS_exit, 0);  // without unwinding
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace registry_tests
