// inlined_pairs SIZE COUNT checked|trusted|nothing: that many pairs, for
// callgrind.sh to count instructions. `nothing` is the loop alone.
#include "bench/callgrind/inlined_pairs.h"

#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  const size_t size = std::strtoul(argv[1], nullptr, 10);
  const size_t count = std::strtoul(argv[2], nullptr, 10);
  const std::string_view what = argv[3];
  using bench::Pairs;
  const bench::PairsFunction run =
      what == "checked"   ? bench::PairsOfSize<Pairs::kChecked>(size)
      : what == "trusted" ? bench::PairsOfSize<Pairs::kTrusted>(size)
      : what == "nothing" ? bench::PairsOfSize<Pairs::kNothing>(size)
                          : nullptr;
  if (run == nullptr) return 64;
  bench::Populate(size);
  run(count);
  return 0;
}
