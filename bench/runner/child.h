// One child process, from its start to its last byte.
#ifndef BENCH_RUNNER_CHILD_H_
#define BENCH_RUNNER_CHILD_H_

#include <string>
#include <vector>

namespace bench {

struct ChildResult {
  std::string start_error;  // not empty: there was no process
  bool timed_out = false;
  int signal = 0;      // that ended it
  int exit_code = -1;  // negative unless it ended by itself
  double seconds = 0;  // from start to end
  // The largest resident set of it and of those it waited for. The kernel
  // counts what the child was before exec as well, so that nothing is smaller
  // than this process.
  double peak_kib = 0;
  std::string standard_output;
  std::string standard_error;
};

// This process's environment as "NAME=value", less what allocators and the
// loader of libraries read from it.
std::vector<std::string> EnvironmentWithoutAllocators();

// Runs a program with `library` in LD_PRELOAD (none if empty), without the
// settings that allocators read from the environment, with no input; kills it
// and what it started after the timeout.
ChildResult RunChild(const std::vector<std::string>& command,
                     const std::string& library, double timeout_seconds);

}  // namespace bench

#endif  // BENCH_RUNNER_CHILD_H_
