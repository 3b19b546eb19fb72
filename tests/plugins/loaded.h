// A plugin that is loaded as long as this object lives.
#ifndef TESTS_PLUGINS_LOADED_H_
#define TESTS_PLUGINS_LOADED_H_

#include <dlfcn.h>

#include <string>
#include <utility>

#include "tests/plugins/plugin.h"

namespace plugins {

// Every configuration there is.
inline constexpr const char* kNames[] = {
    "plain", "hosted", "dynamic", "described", "keyed", "probed", "watched"};

// Where the shared object of a configuration is, from a test's directory.
std::string PathOf(const std::string& name);

class Loaded {
 public:
  // The process is aborted if the loader refuses.
  explicit Loaded(const std::string& path, int flags = RTLD_NOW | RTLD_LOCAL);
  Loaded(Loaded&& other) noexcept;
  Loaded& operator=(Loaded&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(plugin_, other.plugin_);
    return *this;
  }
  ~Loaded();
  const Plugin* operator->() const { return &plugin_; }

 private:
  void* handle_;
  Plugin plugin_;
};

}  // namespace plugins

#endif  // TESTS_PLUGINS_LOADED_H_
