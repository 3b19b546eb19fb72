// The process that is fit to measure in.
#ifndef BENCH_ARENA_BENCH_RESTART_H_
#define BENCH_ARENA_BENCH_RESTART_H_

#include <string>

namespace bench {

// Begins the program anew, once, without what allocators read from the
// environment, and with room for the static TLS of libraries that are loaded
// later: jemalloc's is more than the C library has to spare. Returns in the
// process that is so, or if there is no starting one.
void RestartClean(char** argv);

// What answers malloc here: "libc.so.6, glibc 2.36".
std::string MallocOfThisProcess();

}  // namespace bench

#endif  // BENCH_ARENA_BENCH_RESTART_H_
