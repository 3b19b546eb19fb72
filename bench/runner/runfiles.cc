#include "bench/runner/runfiles.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace bench {

namespace {

namespace fs = std::filesystem;

}  // namespace

std::string RunfilePath(std::string_view path) {
  std::error_code error;
  std::vector<fs::path> roots = {fs::current_path(error)};
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    // The workspace is `_main` where there are modules.
    for (const char* workspace : {"alcove", "_main"}) {
      roots.push_back(fs::path(program.string() + ".runfiles") / workspace);
    }
  }
  for (const fs::path& root : roots) {
    const fs::path candidate = root / fs::path(path);
    if (fs::exists(candidate, error)) return candidate.string();
  }
  return "";
}

std::string UserPath(std::string_view path) {
  const char* user_directory = std::getenv("BUILD_WORKING_DIRECTORY");
  std::error_code error;
  const fs::path base =
      user_directory == nullptr ? fs::current_path(error) : user_directory;
  return (base / fs::path(path)).lexically_normal().string();
}

}  // namespace bench
