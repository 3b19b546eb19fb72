// Text in pieces, as std::string: abseil's string_view is another type than the
// standard one in some of its builds.
#ifndef BENCH_RUNNER_TEXT_H_
#define BENCH_RUNNER_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The pieces between separators, empty ones left out.
std::vector<std::string> SplitText(std::string_view text, char separator);

bool BeginsWith(std::string_view text, std::string_view prefix);

// Without white space at both ends.
std::string Trimmed(std::string_view text);

}  // namespace bench

#endif  // BENCH_RUNNER_TEXT_H_
