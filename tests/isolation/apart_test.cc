// Instances of one core that are linked together know nothing of each other:
// two in this program and two more in shared objects.
#include <dlfcn.h>
#include <signal.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/isolation/left_heap.h"
#include "tests/isolation/plugin.h"
#include "tests/isolation/right_heap.h"
#include "tests/isolation/workload.h"

namespace isolation {
namespace {

struct Named {
  std::string prefix;
  Functions functions;
  int (*shutdown)();
};

Plugin Load(const char* file) {
  void* const handle =
      dlopen((std::string("tests/isolation/") + file).c_str(), RTLD_NOW);
  EXPECT_NE(handle, nullptr) << dlerror();
  return reinterpret_cast<decltype(&IsolationPlugin)>(
      dlsym(handle, "IsolationPlugin"))();
}

const std::vector<Named>& Instances() {
  static const std::vector<Named>* const instances = [] {
    const Plugin plugin = Load("libplugin.so");
    const Plugin hosted = Load("libplugin_hosted.so");
    return new std::vector<Named>{
        {"left_", ISOLATION_FUNCTIONS(left_), left_shutdown},
        {"right_", ISOLATION_FUNCTIONS(right_), right_shutdown},
        {"plugin_", plugin.functions, plugin.shutdown},
        {"plugin_", hosted.functions, hosted.shutdown},
    };
  }();
  return *instances;
}

std::string Foreign(const Named& instance, const void* block) {
  char text[200];
  std::snprintf(
      text, sizeof(text),
      "alcove[%s]: free of memory that is not this instance's, at %p\n",
      instance.prefix.c_str(), block);
  return text;
}

TEST(ApartTest, EveryBlockHasOneOwner) {
  for (const size_t size : {1, 100, 10000, 100000, 3000000}) {
    for (const Named& from : Instances()) {
      void* const block = from.functions.malloc(size);
      for (const Named& by : Instances()) {
        EXPECT_EQ(by.functions.owns(block) != 0, &by == &from) << size;
      }
      from.functions.free(block);
    }
  }
}

TEST(ApartDeathTest, FreeThroughAnotherInstance) {
  for (const Named& from : Instances()) {
    for (const Named& by : Instances()) {
      if (&by == &from) continue;
      void* const block = from.functions.malloc(100);
      // With memory of its own, which comes first, and without.
      void* const own = by.functions.malloc(100);
      EXPECT_EXIT(by.functions.free(block), testing::KilledBySignal(SIGABRT),
                  testing::Eq(Foreign(by, block)));
      by.functions.free(own);
      ASSERT_EQ(by.shutdown(), 0);
      EXPECT_EXIT(by.functions.free(block), testing::KilledBySignal(SIGABRT),
                  testing::Eq(Foreign(by, block)));
      from.functions.free(block);
    }
  }
}

TEST(ApartTest, ShuttingOneDownLeavesTheOthersAlone) {
  for (const Named& gone : Instances()) {
    std::vector<void*> blocks;
    for (const Named& instance : Instances()) {
      blocks.push_back(instance.functions.malloc(5000));
      FillBlock(blocks.back(), 5000);
    }
    ASSERT_EQ(gone.shutdown(), 0);
    for (size_t i = 0; i < blocks.size(); ++i) {
      const Named& instance = Instances()[i];
      if (&instance == &gone) continue;
      EXPECT_TRUE(IsFilled(blocks[i], 5000, 5000));
      instance.functions.free(blocks[i]);
    }
  }
}

TEST(ApartTest, AllAtOnceFromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(
            RunWorkload(Instances()[(t + i) % Instances().size()].functions));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Named& instance : Instances()) EXPECT_EQ(instance.shutdown(), 0);
}

}  // namespace
}  // namespace isolation
