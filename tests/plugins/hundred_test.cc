// A hundred stamped plugins in one process, each with a prefix of its own. (In
// plugins_test they are copies of one file.)
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/isolation/process.h"
#include "tests/plugins/host_heap.h"
#include "tests/plugins/loaded.h"

namespace plugins {
namespace {

constexpr int kPlugins = 100;

std::string Path(int i) { return PathOf("stamped" + std::to_string(i)); }

TEST(Hundred, LoadWorkAndLeaveNothing) {
  void* const hosts = host_malloc(100);
  const auto use = [hosts] {
    std::vector<Loaded> loaded;
    std::vector<void*> blocks;
    for (int i = 0; i < kPlugins; ++i) {
      loaded.emplace_back(Path(i),
                          RTLD_NOW | (i % 2 == 0 ? RTLD_LOCAL : RTLD_GLOBAL));
      blocks.push_back(loaded.back()->functions.malloc(100));
    }
    std::thread([&loaded] {
      for (const Loaded& plugin : loaded) ASSERT_TRUE(plugin->work());
    }).join();
    for (int owner = 0; owner < kPlugins; ++owner) {
      ASSERT_TRUE(loaded[owner]->work_inlined());
      ASSERT_EQ(loaded[owner]->functions.owns(hosts), 0);
      ASSERT_EQ(host_owns(blocks[owner]), 0);
      for (int from = 0; from < kPlugins; ++from) {
        ASSERT_EQ(loaded[owner]->functions.owns(blocks[from]) != 0,
                  owner == from);
      }
    }
    // Or glibc keeps their static TLS.
    while (!loaded.empty()) loaded.pop_back();
  };
  {
    const isolation::MallocRoom room;
    use();  // the loader keeps some memory of its own
  }
  const size_t address_space = isolation::AddressSpace();
  const size_t mappings = isolation::CountMappings(0, UINTPTR_MAX);
  for (int i = 0; i < 3; ++i) use();
  EXPECT_EQ(isolation::AddressSpace(), address_space);
  EXPECT_EQ(isolation::CountMappings(0, UINTPTR_MAX), mappings);
  host_free(hosts);
}

}  // namespace
}  // namespace plugins
