// A column of the table: an allocator, by the library that is preloaded for it.
#ifndef BENCH_RUNNER_COLUMN_H_
#define BENCH_RUNNER_COLUMN_H_

#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct Column {
  std::string name;
  std::string library;  // to preload; empty for the C library's own malloc
  std::string version;  // as its package says
  // Not empty: there is nothing to measure, and why.
  std::string absent;
  // Debian's package that would bring it.
  std::string package;
  // One of Alcove's presets. The others are peers, of which the best in a row
  // is what the row's ratios are against.
  bool ours = false;
  // Measured and shown, but no row's best.
  bool aside = false;
};

// What --peers can name, in the order of the table: Alcove's presets, then
// glibc, jemalloc, mimalloc, tcmalloc and tbbmalloc, found where the dynamic
// linker would.
std::vector<Column> KnownColumns();

// The columns that --peers and --peer ask for. `peers`: names out of
// KnownColumns(), empty for all; `extra`: "name=/path/to/library.so"; `aside`:
// names. On a wrong argument, none and a sentence in *error.
std::vector<Column> ChooseColumns(std::vector<Column> known,
                                  const std::vector<std::string>& peers,
                                  const std::vector<std::string>& extra,
                                  const std::vector<std::string>& aside,
                                  std::string* error);

// The path of a library that the dynamic linker would find by one of these
// names, else empty.
std::string FindLibrary(const std::vector<std::string>& sonames);

}  // namespace bench

#endif  // BENCH_RUNNER_COLUMN_H_
