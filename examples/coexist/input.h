// The files to read: those named, or all text below a directory.
#ifndef EXAMPLES_COEXIST_INPUT_H_
#define EXAMPLES_COEXIST_INPUT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace coexist {

struct File {
  std::string name;
  std::string text;
};

struct Input {
  std::vector<File> files;
  std::vector<std::string>
      complaints;  // a sentence for each file that could not be used
  uint64_t bytes = 0;
};

// Reads the named files. Relative names start where the user is, also under
// `bazel run`.
Input ReadFiles(const std::vector<std::string>& names);

// Reads what is text below the workspace, or below the working directory where
// there is none. Hidden files and Bazel's links are left out.
Input ReadSources();

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_INPUT_H_
