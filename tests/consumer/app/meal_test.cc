// Uses instances as any program would: from C, from C++, and from a plugin.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <string>
#include <thread>
#include <vector>

#include "app/heaps/breakfast_heap.h"
#include "app/heaps/dinner_heap.h"
#include "app/heaps/lunch_heap.h"
#include "app/menu.h"
#include "tests/instances/toy/shared_heap.h"

namespace {

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "meal_test: not true: %s\n", what);
  std::exit(1);
}

#define CHECK(condition) Check((condition), #condition)

void TestC() {
  char* soup = menu_copy("soup");
  CHECK(soup != nullptr && std::string(soup) == "soup");
  CHECK(lunch_owns(soup) && !dinner_owns(soup));
  lunch_free(soup);
}

void TestCxx() {
  std::vector<int, lunch::allocator<int>> lunch(1000, 7);
  std::pmr::vector<int> dinner(1000, 8, dinner::resource());
  CHECK(lunch_owns(lunch.data()) && !dinner_owns(lunch.data()));
  CHECK(dinner_owns(dinner.data()) && !lunch_owns(dinner.data()));
  std::vector<int, breakfast::allocator<int>> breakfast(1000, 9);
  CHECK(breakfast_owns(breakfast.data()) && !lunch_owns(breakfast.data()));
  CHECK(toyshared_count() == 1 && toyshared::Count() == 2);
}

void TestThreads() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (size_t size = 0; size < 5000; ++size) {
        void* block = size % 2 == 0 ? lunch_malloc(size) : dinner_malloc(size);
        CHECK(block != nullptr);
        if (size % 2 == 0) {
          lunch_free(block);
        } else {
          dinner_free(block);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// The program and the plugin each hold an instance `dinner_`: two heaps.
void TestPlugin(const char* path) {
  void* plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) std::fprintf(stderr, "%s\n", dlerror());
  CHECK(plugin != nullptr);
  const auto get = reinterpret_cast<void* (*)()>(dlsym(plugin, "plugin_block"));
  const auto put =
      reinterpret_cast<int (*)(void*)>(dlsym(plugin, "plugin_free"));
  const auto owns =
      reinterpret_cast<int (*)(const void*)>(dlsym(plugin, "plugin_owns"));
  CHECK(get != nullptr && put != nullptr && owns != nullptr);
  void* mine = dinner_malloc(100);
  void* its = get();
  CHECK(owns(its) && dinner_owns(mine));
  CHECK(!owns(mine) && !dinner_owns(its));
  CHECK(put(its) == 0);
  dinner_free(mine);
  CHECK(dlclose(plugin) == 0);
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 2);
  TestC();
  TestCxx();
  TestThreads();
  TestPlugin(argv[1]);
  std::puts("meal_test: fine");
}
