#include "examples/coexist/input.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace coexist {

namespace {

namespace fs = std::filesystem;

bool IsOurs(const fs::path& path) {
  const std::string name = path.filename().string();
  return !absl::StartsWith(name, ".") && !absl::StartsWith(name, "bazel-");
}

}  // namespace

Input ReadSources() {
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const fs::path root = workspace != nullptr ? workspace : ".";
  std::vector<fs::path> paths;
  std::error_code error;
  fs::recursive_directory_iterator entry(
      root, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    std::error_code unreadable;
    if (!IsOurs(entry->path())) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(unreadable)) {
      paths.push_back(entry->path());
    }
  }
  // The order of a directory is the file system's; an answer should not depend
  // on it.
  std::sort(paths.begin(), paths.end());

  Input input;
  for (const fs::path& path : paths) {
    std::string text;
    if (common::ReadFile(path, text).empty()) {
      input.Add(path.lexically_relative(root).string(), std::move(text));
    }
  }
  if (input.files.empty()) {
    input.complaints.push_back(
        absl::StrCat(root.string(), ": there is no text to read below it"));
  }
  return input;
}

}  // namespace coexist
