// Plugins are loaded, used and closed, while the host and its threads live on.
//
// ALCOVE_CYCLES=<n> sets how often they are closed; 1,000 by default.
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/isolation/process.h"
#include "tests/plugins/host_heap.h"
#include "tests/plugins/loaded.h"

#if defined(__SANITIZE_ADDRESS__)
// LeakSanitizer crashes by itself at the end, when it looks for the dynamic TLS
// of what was closed.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

namespace plugins {
namespace {

namespace fs = std::filesystem;

// Under a sanitizer that keeps what is unmapped in books of its own, figures of
// the process's mappings say little.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCountsMappings = false;
#else
constexpr bool kCountsMappings = true;
#endif

int Cycles() {
  const char* const text = std::getenv("ALCOVE_CYCLES");
  return text != nullptr ? std::atoi(text) : 1000;
}

// Threads that live from one test's beginning to its end, and do what they are
// told one time after the other.
class Crew {
 public:
  explicit Crew(int size) {
    for (int i = 0; i < size; ++i) threads_.emplace_back([this] { Live(); });
  }
  ~Crew() {
    task_ = nullptr;
    ++turn_;
    turn_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  // Returns when all are done.
  void Run(bool (*task)()) {
    task_ = task;
    done_ = 0;
    ++turn_;
    turn_.notify_all();
    for (int done = done_; done != static_cast<int>(threads_.size());
         done = done_) {
      done_.wait(done);
    }
  }
  bool good() const { return good_; }

 private:
  void Live() {
    for (int turn = 0;;) {
      turn_.wait(turn);
      turn = turn_;
      const auto task = task_.load();
      if (task == nullptr) return;
      if (!task()) good_ = false;
      ++done_;
      done_.notify_all();
    }
  }
  std::atomic<bool (*)()> task_{nullptr};
  std::atomic<int> turn_{0};
  std::atomic<int> done_{0};
  std::atomic<bool> good_{true};
  std::vector<std::thread> threads_;
};

class PluginsTest : public testing::TestWithParam<const char*> {
 protected:
  std::string Path() const { return PathOf(GetParam()); }

  // A folder with copies of the plugin, each of which is another object to the
  // loader.
  fs::path Copy(int i) const {
    const fs::path folder = fs::path(testing::TempDir()) / GetParam();
    fs::create_directories(folder);
    const fs::path copy = folder / (std::to_string(i) + ".so");
    fs::copy_file(Path(), copy, fs::copy_options::overwrite_existing);
    return copy;
  }
  void TearDown() override {
    fs::remove_all(fs::path(testing::TempDir()) / GetParam());
  }
};

TEST_P(PluginsTest, WorksHoweverItIsLoaded) {
  void* const hosts = host_malloc(100);
  for (const int flags : {RTLD_NOW | RTLD_LOCAL, RTLD_NOW | RTLD_GLOBAL,
                          RTLD_LAZY | RTLD_LOCAL, RTLD_NOW | RTLD_DEEPBIND}) {
#if defined(__SANITIZE_ADDRESS__)
    if ((flags & RTLD_DEEPBIND) != 0) continue;  // the sanitizer refuses it
#endif
    const Loaded plugin(Path(), flags);
    EXPECT_TRUE(isolation::RunWorkload(plugin->functions));
    EXPECT_TRUE(plugin->work_inlined());
    void* const block = plugin->functions.malloc(100);
    EXPECT_EQ(host_owns(block), 0);
    EXPECT_EQ(plugin->functions.owns(hosts), 0);
    plugin->functions.free(block);
  }
  host_free(hosts);
}

// Threads that used it live on, and hold what they cached.
TEST_P(PluginsTest, ClosingLeavesNothingBehind) {
  const int cycles = Cycles();
  const auto threads_exit_fine = [this] {
    Crew crew(4);
    const auto cycle = [&] {
      const Loaded plugin(Path());
      ASSERT_TRUE(plugin->work());
      crew.Run(plugin->work);
    };
    for (int i = 0; i < 10; ++i) cycle();
    // The crew ends after the plugin.
  };
  threads_exit_fine();  // the loader keeps some memory of its own
  const size_t keys = isolation::KeysLeft();
  Crew crew(4);
  const auto cycle = [&](int) {
    const Loaded plugin(Path());
    ASSERT_TRUE(plugin->work());
    crew.Run(plugin->work);
    ASSERT_TRUE(crew.good());
  };
  {
    const isolation::MallocRoom room;
    for (int i = 0; i < 20; ++i) cycle(i);
  }
  const size_t address_space = isolation::AddressSpace();
  const size_t mappings = isolation::CountMappings(0, UINTPTR_MAX);
  for (int i = 0; i < cycles; ++i) cycle(i);
  if (kCountsMappings) {
    EXPECT_EQ(isolation::AddressSpace(), address_space);
    EXPECT_EQ(isolation::CountMappings(0, UINTPTR_MAX), mappings);
  }
  EXPECT_EQ(isolation::KeysLeft(), keys);
  RecordProperty("cycles", cycles);
}

// The other half of it: threads that end while it is there, and while it is not.
TEST_P(PluginsTest, ThreadsComeAndGo) {
  for (int i = 0; i < 50; ++i) {
    Crew* crew = new Crew(3);
    {
      const Loaded plugin(Path());
      for (int j = 0; j < 3; ++j) {
        std::thread([&plugin] { EXPECT_TRUE(plugin->work()); }).join();
      }
      crew->Run(plugin->work);
    }
    delete crew;
  }
}

// Blocks that nobody freed go with it.
TEST_P(PluginsTest, MayBeClosedWithBlocksInIt) {
  const size_t before = isolation::AddressSpace();
  for (int i = 0; i < 20; ++i) {
    const Loaded plugin(Path());
    for (const size_t size : {100, 10000, 1000000, 50000000})
      ASSERT_NE(plugin->functions.malloc(size), nullptr);
  }
  if (kCountsMappings) {
    EXPECT_LE(isolation::AddressSpace(), before + 1000000);
  }
}

// glibc has the static TLS of a shared object back only if what was loaded
// after it is closed first.
class Stack : public std::vector<Loaded> {
 public:
  ~Stack() {
    while (!empty()) pop_back();
  }
};

TEST_P(PluginsTest, AHundredAtOnce) {
  Stack loaded;
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    loaded.emplace_back(Copy(i));
    blocks.push_back(loaded.back()->functions.malloc(100));
    ASSERT_NE(blocks.back(), nullptr);
  }
  for (int owner = 0; owner < 100; ++owner) {
    for (int from = 0; from < 100; ++from) {
      ASSERT_EQ(loaded[owner]->functions.owns(blocks[from]) != 0,
                owner == from);
    }
  }
  for (int i = 0; i < 100; ++i) loaded[i]->functions.free(blocks[i]);
}

INSTANTIATE_TEST_SUITE_P(All, PluginsTest, testing::ValuesIn(kNames),
                         [](const auto& each) { return each.param; });

class TlsTest : public PluginsTest {};

// When there is no static TLS left, the loader says so, and nothing else is
// lost.
TEST_P(TlsTest, ExhaustionIsAnErrorOfTheLoader) {
  Stack loaded;
  int i = 0;
  for (; i < 4000; ++i) {
    const fs::path copy = Copy(i);
    void* const handle = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) break;
    loaded.emplace_back(copy);
    dlclose(handle);  // counted twice
  }
  ASSERT_LT(i, 4000);
  EXPECT_GE(i, 100);
  const std::string error = dlerror();
  EXPECT_NE(error.find("static TLS"), std::string::npos) << error;
  for (const Loaded& plugin : loaded) ASSERT_TRUE(plugin->work());
  std::thread([&loaded] {
    for (const Loaded& plugin : loaded) ASSERT_TRUE(plugin->work());
  }).join();
  loaded.pop_back();
  EXPECT_TRUE(Loaded(Copy(i))->work()) << "there is room again";
  RecordProperty("loaded", i);
}

INSTANTIATE_TEST_SUITE_P(Static, TlsTest, testing::Values("plain", "hosted"),
                         [](const auto& each) { return each.param; });

class DynamicTlsTest : public PluginsTest {};

// With static TLS each round would cost 8 bytes of it for good.
TEST_P(DynamicTlsTest, MayBeClosedInAnyOrder) {
  const fs::path paths[] = {Copy(0), Copy(1), Copy(2)};
  for (int i = 0; i < 1000; ++i) {
    std::vector<Loaded> loaded;
    for (const fs::path& path : paths) {
      loaded.emplace_back(path);
      ASSERT_TRUE(loaded.back()->work());
    }
    loaded.erase(loaded.begin());
  }
}

TEST_P(DynamicTlsTest, TakesNoneOfTheStatic) {
  std::vector<Loaded> loaded;
  for (int i = 0; i < 400; ++i) {
    loaded.emplace_back(Copy(i));
    ASSERT_TRUE(loaded.back()->work());
  }
}

INSTANTIATE_TEST_SUITE_P(Dynamic, DynamicTlsTest,
                         testing::Values("dynamic", "described", "keyed"),
                         [](const auto& each) { return each.param; });

class KeyTest : public PluginsTest {};
INSTANTIATE_TEST_SUITE_P(Keyed, KeyTest, testing::Values("keyed", "probed"),
                         [](const auto& each) { return each.param; });

// Without a pthread key to be had, allocations fail, and work again later.
TEST_P(KeyTest, ExhaustionIsNull) {
  std::vector<pthread_key_t> keys;
  pthread_key_t key;
  while (pthread_key_create(&key, nullptr) == 0) keys.push_back(key);
  {
    // Its C++ static asks for a block when it is loaded, in vain.
    const Loaded without(Copy(0));
    EXPECT_EQ(without->functions.malloc(1), nullptr);
    EXPECT_EQ(without->functions.calloc(1, 100000), nullptr);
    pthread_key_delete(keys.back());
    keys.pop_back();
    EXPECT_TRUE(without->work());
  }
  for (const pthread_key_t made : keys) pthread_key_delete(made);
}

}  // namespace
}  // namespace plugins
