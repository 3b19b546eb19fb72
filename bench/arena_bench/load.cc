#include "bench/arena_bench/load.h"

#include "absl/strings/str_cat.h"
#include "bench/arena_bench/crew.h"

namespace bench {

std::vector<Load> AllLoads() {
  struct Pattern {
    const char* name;
    const char* what;
    const Sizes* sizes;
  };
  // Never destroyed: the rows point to them.
  static const Sizes* const fixed = new Sizes(64, 64, Spread::kEven);
  static const Sizes* const mixed = new Sizes(16, 1024, Spread::kManySmall);
  const Pattern patterns[] = {{"fixed", "64 B", fixed},
                              {"mixed", "16 to 1024 B, many small", mixed}};
  std::vector<Load> loads;
  for (const int threads : {1, Crew::kSize}) {
    for (const Pattern& pattern : patterns) {
      for (const size_t blocks : {1, 10, 1000, 100000}) {
        Load load;
        load.name = absl::StrCat(pattern.name, "_", blocks, "_t", threads);
        load.what = absl::StrCat(
            blocks, blocks == 1 ? " block of " : " blocks of ", pattern.what,
            ", ", threads, threads == 1 ? " thread" : " threads");
        load.blocks = blocks;
        load.threads = threads;
        load.sizes = pattern.sizes;
        loads.push_back(load);
      }
    }
  }
  return loads;
}

}  // namespace bench
