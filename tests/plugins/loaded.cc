#include "tests/plugins/loaded.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "gtest/gtest.h"

namespace plugins {

std::string PathOf(const std::string& name) {
  return "tests/plugins/lib" + name + ".so";
}

Loaded::Loaded(const std::string& path, int flags)
    : handle_(dlopen(path.c_str(), flags)) {
  if (handle_ == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::abort();
  }
  plugin_ = reinterpret_cast<decltype(&AlcoveTestPlugin)>(
      dlsym(handle_, "AlcoveTestPlugin"))();
}

Loaded::Loaded(Loaded&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), plugin_(other.plugin_) {}

Loaded::~Loaded() { EXPECT_TRUE(handle_ == nullptr || dlclose(handle_) == 0); }

}  // namespace plugins
