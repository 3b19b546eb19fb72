#include "bench/arena_bench/restart.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "bench/runner/child.h"

namespace bench {

namespace {

constexpr char kVariable[] = "GLIBC_TUNABLES";
constexpr char kRoom[] = "glibc.rtld.optional_static_tls=16384";

}  // namespace

void RestartClean(char** argv) {
  const char* tunables = std::getenv(kVariable);
  if (tunables != nullptr && std::string(tunables) == kRoom) return;
  std::vector<std::string> environment = EnvironmentWithoutAllocators();
  environment.push_back(std::string(kVariable) + "=" + kRoom);
  std::vector<char*> pointers;
  pointers.reserve(environment.size() + 1);
  for (std::string& variable : environment) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  // By its own path, beside which its runfiles are.
  std::error_code error;
  const std::string path =
      std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (!error) execve(path.c_str(), argv, pointers.data());
}

std::string MallocOfThisProcess() {
  Dl_info info;
  void* const function = dlsym(RTLD_DEFAULT, "malloc");
  if (function == nullptr || dladdr(function, &info) == 0) return "unknown";
  return std::filesystem::path(info.dli_fname).filename().string() +
         ", glibc " + gnu_get_libc_version();
}

}  // namespace bench
