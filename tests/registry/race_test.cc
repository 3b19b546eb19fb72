// Threads look for owners while others open shared objects, use their
// instances and close them again. For a second, or for as long as the
// environment says (REGISTRY_RACE_SECONDS).
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/registry/a_heap.h"
#include "tests/registry/opened.h"

namespace registry_tests {
namespace {

constexpr int kThreads = 4;

std::chrono::seconds Duration() {
  const char* const seconds = std::getenv("REGISTRY_RACE_SECONDS");
  return std::chrono::seconds(seconds == nullptr ? 1 : std::atoi(seconds));
}

// The address may have become another one's.
bool IsOfOneThatComesAndGoes(const alcove_instance_entry& entry) {
  const std::string prefix = entry.prefix;
  return prefix == "plug_" || prefix == "fake_";
}

class RaceTest : public testing::Test {
 protected:
  template <typename Function>
  void Start(Function function) {
    threads_.emplace_back([this, function] {
      while (!over) function();
    });
  }
  void Run() {
    std::this_thread::sleep_for(Duration());
    over = true;
    for (std::thread& thread : threads_) thread.join();
  }

  std::atomic<bool> over = false;
  std::atomic<long> looked = 0;
  std::atomic<long> opened = 0;
  std::atomic<long> found = 0;

 private:
  std::vector<std::thread> threads_;
};

TEST_F(RaceTest, OwnersWhileObjectsComeAndGo) {
  void* const kept = a_malloc(100);
  // The last address that each of them owned.
  std::atomic<const void*> blocks[kThreads] = {};
  // One opens a shared object with an instance, which takes static TLS: the
  // loader gets that back only from whoever came last. The others do not.
  const std::string plugin_path = Copies("libplugin.so", 1)[0];
  Start([&] {
    Opened plugin(plugin_path);
    void* const block = plugin->malloc(100);
    blocks[0] = block;
    // It is there for as long as we hold it.
    EXPECT_EQ(OwnerOf(block), "plug_");
    const Entries entries = WithPrefix("plug_");
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(alcove_registry_owner_among(entries.data(), 1, block, nullptr),
              1);
    plugin->free(block);
    EXPECT_EQ(plugin->shutdown(), 0);
    ++opened;
  });
  const std::vector<std::string> paths = Copies("libfake_known.so", kThreads);
  for (int i = 1; i < kThreads; ++i) {
    Start([&, i] {
      Opened plugin(paths[i]);
      blocks[i] = plugin.FakeMemory();
      EXPECT_EQ(OwnerOf(blocks[i]), "fake_");
      ++opened;
    });
  }
  for (int i = 0; i < kThreads; ++i) {
    Start([&, i] {
      EXPECT_EQ(OwnerOf(kept), "a_");
      EXPECT_EQ(OwnerOf(&kept), "");
      const Entries entries = List();
      for (int repeat = 0; repeat < 100; ++repeat) {
        const void* const block = blocks[(i + repeat) % kThreads];
        alcove_instance_entry owner;
        const int result =
            repeat % 10 == 0 ? alcove_registry_owner_of(block, &owner) : 0;
        ASSERT_GE(result, 0);
        if (result == 1) {
          EXPECT_TRUE(IsOfOneThatComesAndGoes(owner));
          ++found;
        }
        // The entries get old meanwhile.
        size_t index;
        const int among = alcove_registry_owner_among(
            entries.data(), entries.size(), block, &index);
        ASSERT_GE(among, 0);
        if (among == 1) {
          EXPECT_TRUE(IsOfOneThatComesAndGoes(entries[index]));
        }
        ASSERT_EQ(alcove_registry_owner_among(entries.data(), entries.size(),
                                              kept, &index),
                  1);
        EXPECT_STREQ(entries[index].prefix, "a_");
        char config[64];
        for (const alcove_instance_entry& entry : entries)
          alcove_registry_config(&entry, config, sizeof(config));
        ++looked;
      }
    });
  }
  Run();
  EXPECT_GT(opened, 10);
  EXPECT_GT(looked, 10);
  RecordProperty("opened", static_cast<int>(opened));
  RecordProperty("looked", static_cast<int>(looked));
  RecordProperty("found", static_cast<int>(found));
  a_free(kept);
  EXPECT_EQ(a_shutdown(), 0);
}

// A shutdown while others ask: whoever answers "a_" answers for memory that was
// a's when it was asked.
TEST_F(RaceTest, OwnersWhileAnInstanceShutsDown) {
  std::atomic<void*> block = nullptr;
  for (int i = 0; i < kThreads; ++i) {
    Start([&] {
      const std::string owner = OwnerOf(block);
      EXPECT_TRUE(owner == "a_" || owner.empty()) << owner;
      ++looked;
    });
  }
  std::thread again([&] {
    while (!over) {
      void* const now = a_malloc(100);
      block = now;
      EXPECT_EQ(OwnerOf(now), "a_");
      a_free(now);
      EXPECT_EQ(a_shutdown(), 0);
      EXPECT_EQ(OwnerOf(now), "");
      ++opened;
    }
  });
  Run();
  again.join();
  EXPECT_GT(looked, 10);
  EXPECT_GT(opened, 10);
}

}  // namespace
}  // namespace registry_tests
