// The text files that a program works on.
#ifndef EXAMPLES_COMMON_FILES_H_
#define EXAMPLES_COMMON_FILES_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace common {

struct File {
  std::string name;
  std::string text;
};

struct Input {
  std::vector<File> files;
  std::vector<std::string>
      complaints;  // a sentence for each file that could not be used
  uint64_t bytes = 0;

  void Add(std::string name, std::string text);
};

// Reads one text file; returns what is wrong with it, or nothing.
std::string ReadFile(const std::filesystem::path& path, std::string& text);

// Reads the named files. Relative names start where the user is, also under
// `bazel run`.
Input ReadFiles(const std::vector<std::string>& names);

}  // namespace common

#endif  // EXAMPLES_COMMON_FILES_H_
