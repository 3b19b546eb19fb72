// Shared objects that a test opens, and what the registry says of them.
#ifndef TESTS_REGISTRY_OPENED_H_
#define TESTS_REGISTRY_OPENED_H_

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "registry/registry.h"
#include "tests/registry/plugin.h"

namespace registry_tests {

inline constexpr char kDirectory[] = "tests/registry/";

// One that is open while the object lives.
class Opened {
 public:
  explicit Opened(const std::string& path, bool new_namespace = false)
      : handle_(new_namespace ? dlmopen(LM_ID_NEWLM, path.c_str(), RTLD_NOW)
                              : dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      ADD_FAILURE() << dlerror();
      std::abort();
    }
  }
  ~Opened() { Close(); }
  Opened(Opened&& other) noexcept : handle_(other.handle_) {
    other.handle_ = nullptr;
  }
  void Close() {
    if (handle_ != nullptr) dlclose(handle_);
    handle_ = nullptr;
  }
  const registry_plugin* operator->() const {
    return reinterpret_cast<decltype(&registry_plugin_functions)>(
        dlsym(handle_, "registry_plugin_functions"))();
  }
  const void* FakeMemory() const {
    return reinterpret_cast<const void* (*)()>(
        dlsym(handle_, "registry_fake_memory"))();
  }

 private:
  void* handle_;
};

// `count` copies of a file: to the loader each is another object.
inline std::vector<std::string> Copies(const std::string& file, int count) {
  const std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) / "copies";
  std::filesystem::create_directories(directory);
  std::vector<std::string> paths;
  for (int i = 0; i < count; ++i) {
    paths.push_back(directory / (std::to_string(i) + "_" + file));
    std::filesystem::copy_file(
        kDirectory + file, paths.back(),
        std::filesystem::copy_options::overwrite_existing);
  }
  return paths;
}

using Entries = std::vector<alcove_instance_entry>;

inline Entries List() {
  Entries entries(200);
  const long count = alcove_registry_list(entries.data(), entries.size());
  EXPECT_GE(count, 0);
  entries.resize(std::clamp<long>(count, 0, 200));
  return entries;
}

inline Entries WithPrefix(const std::string& prefix) {
  Entries entries = List();
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const alcove_instance_entry& entry) {
                                 return entry.prefix != prefix;
                               }),
                entries.end());
  return entries;
}

// The prefix of the owner; "" for nobody.
inline std::string OwnerOf(const void* address) {
  alcove_instance_entry owner;
  const int result = alcove_registry_owner_of(address, &owner);
  EXPECT_GE(result, 0);
  return result == 1 ? owner.prefix : "";
}

}  // namespace registry_tests

#endif  // TESTS_REGISTRY_OPENED_H_
