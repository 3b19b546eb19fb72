#include "examples/coexist/input.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace coexist {

namespace {

namespace fs = std::filesystem;

// Places are counted in 32 bits, and a sane text is far smaller.
constexpr uintmax_t kFileMax = uintmax_t{1} << 30;

// Reads one file; returns what is wrong with it, or nothing.
std::string ReadFile(const fs::path& path, std::string& text) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return "there is no such file";
  if (error) return error.message();
  if (fs::is_directory(status)) return "is a directory; name the files in it";
  // A device or a pipe may have no end.
  if (!fs::is_regular_file(status)) return "is not a regular file";
  if (fs::file_size(path, error) > kFileMax && !error)
    return "has more than 1 GiB";

  const std::unique_ptr<FILE, int (*)(FILE*)> file(
      std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) return std::strerror(errno);
  char buffer[64 * 1024];
  size_t read;
  while ((read = std::fread(buffer, 1, sizeof(buffer), file.get())) > 0) {
    text.append(buffer, read);
    if (text.size() > kFileMax) return "has more than 1 GiB";
  }
  if (std::ferror(file.get())) return std::strerror(errno);
  if (std::memchr(text.data(), '\0', text.size()) != nullptr)
    return "is not text";
  return "";
}

void Add(Input& input, std::string name, std::string text) {
  input.bytes += text.size();
  input.files.push_back({std::move(name), std::move(text)});
}

fs::path Directory(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr ? value : ".";
}

bool IsOurs(const fs::path& path) {
  const std::string name = path.filename().string();
  return !absl::StartsWith(name, ".") && !absl::StartsWith(name, "bazel-");
}

}  // namespace

Input ReadFiles(const std::vector<std::string>& names) {
  Input input;
  for (const std::string& name : names) {
    std::string text;
    const std::string wrong =
        ReadFile(Directory("BUILD_WORKING_DIRECTORY") / name, text);
    if (wrong.empty()) {
      Add(input, name, std::move(text));
    } else {
      input.complaints.push_back(absl::StrCat(name, ": ", wrong));
    }
  }
  return input;
}

Input ReadSources() {
  const fs::path root = Directory("BUILD_WORKSPACE_DIRECTORY");
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
    if (ReadFile(path, text).empty()) {
      Add(input, path.lexically_relative(root).string(), std::move(text));
    }
  }
  if (input.files.empty()) {
    input.complaints.push_back(
        absl::StrCat(root.string(), ": there is no text to read below it"));
  }
  return input;
}

}  // namespace coexist
