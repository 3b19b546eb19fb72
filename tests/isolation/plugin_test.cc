// Shared objects that carry an instance: loaded, used, shut down and unloaded
// again.
#include "tests/isolation/plugin.h"

#include <dlfcn.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/isolation/process.h"

namespace isolation {
namespace {

constexpr char kDirectory[] = "tests/isolation/";

// A loaded plugin.
class Loaded {
 public:
  explicit Loaded(const std::string& path)
      : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      ADD_FAILURE() << dlerror();
      std::abort();
    }
    plugin_ = reinterpret_cast<decltype(&IsolationPlugin)>(
        dlsym(handle_, "IsolationPlugin"))();
  }
  Loaded(Loaded&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)),
        plugin_(other.plugin_) {}
  ~Loaded() { EXPECT_TRUE(handle_ == nullptr || dlclose(handle_) == 0); }
  const Plugin* operator->() const { return &plugin_; }

 private:
  void* handle_;
  Plugin plugin_;
};

class PluginTest : public testing::TestWithParam<const char*> {
 protected:
  std::string Path() const { return std::string(kDirectory) + GetParam(); }
};

TEST_P(PluginTest, LeavesNothingBehind) {
  const auto use = [this] {
    const Loaded plugin(Path());
    EXPECT_TRUE(RunWorkload(plugin->functions));
    EXPECT_GT(plugin->mapped(), 0u);
    EXPECT_EQ(plugin->shutdown(), 0);
  };
  {
    const MallocRoom room;
    use();  // the loader keeps some memory of its own
  }
  const size_t address_space = AddressSpace();
  const size_t mappings = CountMappings(0, UINTPTR_MAX);
  for (int i = 0; i < 20; ++i) use();
  EXPECT_EQ(AddressSpace(), address_space);
  EXPECT_EQ(CountMappings(0, UINTPTR_MAX), mappings);
}

// The thread ends when the code that was to hand its cache back is no longer
// there.
TEST_P(PluginTest, ThreadsMayOutliveIt) {
  for (int i = 0; i < 20; ++i) {
    Loaded* plugin = new Loaded(Path());
    bool used = false;
    bool unloaded = false;
    std::mutex mutex;
    std::condition_variable changed;
    std::thread thread([&] {
      std::unique_lock lock(mutex);
      EXPECT_TRUE(RunWorkload((*plugin)->functions));
      (*plugin)->thread_detach();
      used = true;
      changed.notify_all();
      changed.wait(lock, [&] { return unloaded; });
    });
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return used; });
      EXPECT_EQ((*plugin)->shutdown(), 0);
      delete plugin;
      unloaded = true;
      changed.notify_all();
    }
    thread.join();
  }
}

TEST_P(PluginTest, ThreadsThatEndedDoNotHoldIt) {
  const Loaded plugin(Path());
  for (int i = 0; i < 20; ++i) {
    std::thread([&] { EXPECT_TRUE(RunWorkload(plugin->functions)); }).join();
    EXPECT_EQ(plugin->shutdown(), 0);
  }
}

// Every copy of the file is another object to the loader, with a state of its
// own, although all of its names are the same. Each takes 8 bytes of the static
// TLS that dlopen has left.
TEST_P(PluginTest, AHundredAtOnce) {
  const std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) / GetParam();
  std::filesystem::create_directories(directory);
  std::vector<Loaded> plugins;
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    const std::filesystem::path copy = directory / std::to_string(i);
    std::filesystem::copy_file(
        Path(), copy, std::filesystem::copy_options::overwrite_existing);
    plugins.emplace_back(copy);
    blocks.push_back(plugins.back()->functions.malloc(100));
    ASSERT_NE(blocks.back(), nullptr);
  }
  for (int owner = 0; owner < 100; ++owner) {
    for (int from = 0; from < 100; ++from) {
      ASSERT_EQ(plugins[owner]->functions.owns(blocks[from]) != 0,
                owner == from);
    }
  }
  for (int i = 0; i < 100; ++i) {
    plugins[i]->functions.free(blocks[i]);
    EXPECT_EQ(plugins[i]->shutdown(), 0);
  }
  std::filesystem::remove_all(directory);
}

INSTANTIATE_TEST_SUITE_P(Configurations, PluginTest,
                         testing::Values("libplugin.so",
                                         "libplugin_hosted.so"));

}  // namespace
}  // namespace isolation
