// What a question to the registry costs, by how many shared objects with an
// instance each the process has open.
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "bench/runner/statistics.h"
#include "registry/registry.h"
#include "tests/registry/plugin.h"

namespace {

constexpr char kPlugin[] = "tests/registry/libplugin.so";

// The median of some rounds, in microseconds a call.
template <typename Function>
double Microseconds(Function function) {
  constexpr int kCalls = 20;
  std::vector<double> rounds;
  for (int round = 0; round < 25; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) function();
    const std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - begin;
    rounds.push_back(took.count() / kCalls);
  }
  return bench::Median(rounds);
}

int Mappings() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

void Check(bool good) {
  if (!good) std::abort();
}

}  // namespace

int main() {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() /
      ("registry_cost_" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(directory);
  std::printf("%8s %8s %10s %10s %10s %10s %10s   us, medians\n", "objects",
              "mappings", "list", "owner_of", "(nobody)", "among", "(nobody)");
  std::vector<const void*> blocks;
  for (const size_t objects : {1, 12, 100}) {
    while (blocks.size() < objects) {
      const auto copy = directory / std::to_string(blocks.size());
      std::filesystem::copy_file(kPlugin, copy);
      void* const handle = dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
      Check(handle != nullptr);
      const auto functions =
          reinterpret_cast<decltype(&registry_plugin_functions)>(
              dlsym(handle, "registry_plugin_functions"))();
      blocks.push_back(functions->malloc(100));
    }
    std::vector<alcove_instance_entry> entries(objects);
    const auto list = [&] {
      Check(alcove_registry_list(entries.data(), objects) ==
            static_cast<long>(objects));
    };
    list();
    size_t next = 0;  // so that all places in the list have a share
    const auto block = [&] { return blocks[next++ % objects]; };
    const double listed = Microseconds(list);
    const double owner = Microseconds(
        [&] { Check(alcove_registry_owner_of(block(), nullptr) == 1); });
    const double nobody = Microseconds(
        [&] { Check(alcove_registry_owner_of(&next, nullptr) == 0); });
    const double among = Microseconds([&] {
      Check(alcove_registry_owner_among(entries.data(), objects, block(),
                                        nullptr) == 1);
    });
    const double among_nobody = Microseconds([&] {
      Check(alcove_registry_owner_among(entries.data(), objects, &next,
                                        nullptr) == 0);
    });
    std::printf("%8zu %8d %10.1f %10.1f %10.1f %10.1f %10.1f\n", objects,
                Mappings(), listed, owner, nobody, among, among_nobody);
  }
  std::filesystem::remove_all(directory);
}
