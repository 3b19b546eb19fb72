#include "examples/common/files.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace common {

namespace {

namespace fs = std::filesystem;

// Places are counted in 32 bits, and a sane text is far smaller.
constexpr uintmax_t kFileMax = uintmax_t{1} << 30;

}  // namespace

void Input::Add(std::string name, std::string text) {
  bytes += text.size();
  files.push_back({std::move(name), std::move(text)});
}

std::string ReadFile(const fs::path& path, std::string& text) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return "there is no such file";
  if (error) return error.message();
  if (fs::is_directory(status)) return "is a directory; name the files in it";
  // A device or a pipe may have no end.
  if (!fs::is_regular_file(status)) return "is not a regular file";
  if (fs::file_size(path, error) > kFileMax && !error) {
    return "has more than 1 GiB";
  }

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
  if (std::memchr(text.data(), '\0', text.size()) != nullptr) {
    return "is not text";
  }
  return "";
}

Input ReadFiles(const std::vector<std::string>& names) {
  const char* const directory = std::getenv("BUILD_WORKING_DIRECTORY");
  Input input;
  for (const std::string& name : names) {
    std::string text;
    const std::string wrong =
        ReadFile(fs::path(directory != nullptr ? directory : ".") / name, text);
    if (wrong.empty()) {
      input.Add(name, std::move(text));
    } else {
      input.complaints.push_back(absl::StrCat(name, ": ", wrong));
    }
  }
  return input;
}

}  // namespace common
