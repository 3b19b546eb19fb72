// What the command line means, as far as abseil's flags do not know it.
#ifndef BENCH_RUNNER_ARGUMENTS_H_
#define BENCH_RUNNER_ARGUMENTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "bench/runner/source.h"

namespace bench {

// `--flag=a --flag b` becomes `--flag=a,b`: abseil's last one would win.
std::vector<std::string> MergeRepeated(
    const std::vector<std::string>& arguments, std::string_view flag);

// The flags of a command line as text for a reader who is to repeat it: paths
// are not, for they are this machine's.
std::string QuoteFlags(const std::vector<std::string>& arguments);

// True if the whole of `name` matches; * in the pattern stands for any letters.
bool Matches(std::string_view pattern, std::string_view name);

// The rows that some pattern matches, in their own order; all if there is no
// pattern. A pattern that matches none is an error.
std::vector<Row> ChooseRows(const std::vector<Row>& rows,
                            const std::vector<std::string>& patterns,
                            std::string* error);

// The sources of this workspace, as paths of runfiles.
std::vector<std::string> DefaultSources();

}  // namespace bench

#endif  // BENCH_RUNNER_ARGUMENTS_H_
