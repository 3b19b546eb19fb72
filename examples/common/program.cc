#include "examples/common/program.h"

#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <ios>
#include <utility>

namespace common {

namespace fs = std::filesystem;

ProgramTest::ProgramTest(std::string program)
    : program_(std::move(program)),
      directory_(
          fs::path(testing::TempDir()) /
          testing::UnitTest::GetInstance()->current_test_info()->name()) {
  fs::create_directories(directory_);
}

ProgramTest::~ProgramTest() { fs::remove_all(directory_); }

std::string ProgramTest::Write(const std::string& name,
                               const std::string& text) const {
  std::ofstream(Path(name), std::ios::binary) << text;
  return Path(name);
}

Outcome ProgramTest::Run(const std::string& arguments,
                         const std::string& environment) const {
  const std::string command =
      "env -u BUILD_WORKSPACE_DIRECTORY -u BUILD_WORKING_DIRECTORY " +
      environment + " " + program_ + " " + arguments + " 2>&1";
  Outcome run;
  FILE* const pipe = popen(command.c_str(), "r");
  char buffer[4096];
  size_t size;
  while ((size = fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    run.output.append(buffer, size);
  }
  const int status = pclose(pipe);
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

}  // namespace common
