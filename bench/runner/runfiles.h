// What Bazel built beside this program.
#ifndef BENCH_RUNNER_RUNFILES_H_
#define BENCH_RUNNER_RUNFILES_H_

#include <string>
#include <string_view>

namespace bench {

// The absolute path of a file of this workspace, given as in
// "bench/runner/bench": under `bazel run` and `bazel test` by the working
// directory, else beside the program. Empty if there is none. An absolute path
// stays as it is.
std::string RunfilePath(std::string_view path);

// A path that the user wrote, made absolute: relative to where the user is,
// which under `bazel run` is not where the program is.
std::string UserPath(std::string_view path);

}  // namespace bench

#endif  // BENCH_RUNNER_RUNFILES_H_
