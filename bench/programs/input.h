// What the programs are given to do: text that is the same every time.
#ifndef BENCH_PROGRAMS_INPUT_H_
#define BENCH_PROGRAMS_INPUT_H_

#include <string>

namespace bench {

// `amount` is about proportional to the work.

// C++17 that makes a compiler instantiate a lot.
std::string TemplateSource(int amount);

// Python that encodes, decodes, sorts and joins, and prints a digest.
std::string PythonScript(int amount);

// SQL for an empty database that fills tables, indexes and queries them, and
// prints what it found.
std::string SqlScript(int amount);

}  // namespace bench

#endif  // BENCH_PROGRAMS_INPUT_H_
