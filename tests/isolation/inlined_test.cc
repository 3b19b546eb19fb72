// Call sites in a program and in shared objects, with the instance in another
// one: all of a thread's work on one cache. And call sites in plugins, each with
// an instance of its own of the same prefix: none finds another's.
#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/isolation/inlined_library.h"
#include "tests/isolation/shared_heap_inline.h"

namespace isolation {
namespace {

ISOLATION_INLINED(Heap, shared, shared_);

const std::vector<CallSites>& SitesOfOneInstance() {
  static const std::vector<CallSites>* const sites = new std::vector<CallSites>{
      ISOLATION_CALL_SITES(Heap, shared_), IsolationHeapCallSites(),
      IsolationUserCallSites()};
  return *sites;
}

std::string FileOf(const void* address) {
  Dl_info info;
  EXPECT_NE(dladdr(address, &info), 0);
  return std::filesystem::path(info.dli_fname).filename();
}

TEST(InlinedTest, TheInstanceIsInASharedObject) {
  EXPECT_EQ(FileOf(reinterpret_cast<const void*>(
                dlsym(RTLD_DEFAULT, "shared_malloc"))),
            "libinlined_heap.so");
  EXPECT_EQ(FileOf(reinterpret_cast<const void*>(&IsolationUserCallSites)),
            "libinlined_user.so");
}

TEST(InlinedTest, EverySiteWorks) {
  for (const CallSites& sites : SitesOfOneInstance()) {
    EXPECT_TRUE(sites.work());
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(SitesOfOneInstance()[(t + i) % 3].work());
      }
      shared_thread_detach();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// What one puts into the thread's cache, the next takes out.
TEST(InlinedTest, AllSitesShareTheThreadsCache) {
  Link* const kept = shared::inlined::allocate<Link>();
  shared::inlined::deallocate<Link>(shared::inlined::allocate<Link>());
  for (const CallSites& from : SitesOfOneInstance()) {
    for (const CallSites& to : SitesOfOneInstance()) {
      Link* const link = from.allocate();
      EXPECT_NE(link, kept);
      from.deallocate(link);
      EXPECT_EQ(to.allocate(), link);
      to.deallocate_trusted(link);
      EXPECT_EQ(from.malloc(), link);
      to.deallocate(link);
    }
  }
  shared::inlined::deallocate<Link>(kept);
}

TEST(InlinedTest, OtherThreadsHaveOthers) {
  Link* const link = shared::inlined::allocate<Link>();
  shared::inlined::deallocate<Link>(link);
  for (const CallSites& sites : SitesOfOneInstance()) {
    std::thread([&sites, link] {
      Link* const mine = sites.allocate();
      EXPECT_NE(mine, link);
      sites.deallocate(mine);
      sites.thread_detach();
    }).join();
  }
}

// Every copy of the file is another object to the loader, with an instance of
// its own, although all of its names are those of the one above.
TEST(InlinedTest, PluginsFindTheirOwn) {
  constexpr int kPlugins = 50;
  const std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) / "inlined_plugins";
  std::filesystem::create_directories(directory);
  std::vector<void*> handles;
  std::vector<CallSites> plugins;
  std::vector<Link*> links;
  for (int i = 0; i < kPlugins; ++i) {
    const std::filesystem::path copy = directory / std::to_string(i);
    std::filesystem::copy_file(
        "tests/isolation/libinlined_plugin.so", copy,
        std::filesystem::copy_options::overwrite_existing);
    handles.push_back(dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL));
    ASSERT_NE(handles.back(), nullptr) << dlerror();
    plugins.push_back(reinterpret_cast<decltype(&IsolationPluginCallSites)>(
        dlsym(handles.back(), "IsolationPluginCallSites"))());
    EXPECT_TRUE(plugins.back().work());
    links.push_back(plugins.back().allocate());
  }
  Link* const outside = shared::inlined::allocate<Link>();
  for (int owner = 0; owner < kPlugins; ++owner) {
    for (int from = 0; from < kPlugins; ++from) {
      ASSERT_EQ(plugins[owner].owns(links[from]) != 0, owner == from);
    }
    ASSERT_EQ(plugins[owner].owns(outside), 0);
    ASSERT_EQ(shared_owns(links[owner]), 0);
  }
  shared::inlined::deallocate<Link>(outside);
  for (int i = 0; i < kPlugins; ++i) {
    plugins[i].deallocate(links[i]);
    EXPECT_EQ(plugins[i].shutdown(), 0);
    EXPECT_EQ(dlclose(handles[i]), 0);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace isolation
