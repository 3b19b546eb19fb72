// Runs a program as a user would.
#ifndef EXAMPLES_COMMON_PROGRAM_H_
#define EXAMPLES_COMMON_PROGRAM_H_

#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace common {

struct Outcome {
  int exit_code;  // -1: ended by a signal
  std::string output;
};

class ProgramTest : public testing::Test {
 protected:
  // The program is named by its path in the runfiles.
  explicit ProgramTest(std::string program);
  ~ProgramTest() override;

  // Where the test can write; a fresh directory for each test.
  std::string Path(const std::string& name) const {
    return (directory_ / name).string();
  }

  std::string Write(const std::string& name, const std::string& text) const;

  // Both as in a shell; nothing tells the program of `bazel run` by itself.
  Outcome Run(const std::string& arguments,
              const std::string& environment = "") const;

 private:
  const std::string program_;
  const std::filesystem::path directory_;
};

}  // namespace common

#endif  // EXAMPLES_COMMON_PROGRAM_H_
