// Where and on what was measured: figures without it are worth nothing.
#ifndef BENCH_RUNNER_MACHINE_H_
#define BENCH_RUNNER_MACHINE_H_

#include <string>

namespace bench {

struct Machine {
  std::string cpu;
  int cores = 0;  // that this process may use
  std::string memory;
  std::string kernel;
  std::string system;      // "Debian GNU/Linux 12 (bookworm)"
  std::string huge_pages;  // the kernel's setting for transparent ones
  double load = 0;         // of the last minute, when the run began
};

Machine DescribeMachine();

// "1a2b3c4d, 2024-05-06" of the checkout in `workspace`, with "and changes that
// are not committed" if there are any but in the benchmark's own output; or
// what is wrong.
std::string DescribeCommit(const std::string& workspace);

// Today, as 2024-05-06.
std::string Today();

}  // namespace bench

#endif  // BENCH_RUNNER_MACHINE_H_
