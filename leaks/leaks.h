// Reads what an instance with the knob `backtrace_frames` knows of its live blocks, and
// says it by the names of functions. It allocates by the program's malloc, never from the
// instance.
#ifndef ALCOVE_LEAKS_LEAKS_H_
#define ALCOVE_LEAKS_LEAKS_H_

#include <cstddef>
#include <string>
#include <vector>

namespace alcove {

// An instance's <prefix>visit_blocks.
using VisitBlocks = std::size_t (*)(void (*visit)(void* block, std::size_t size,
                                                  void* const* frames,
                                                  std::size_t frame_count,
                                                  void* context),
                                    void* context);

// The live blocks that were allocated at one place.
struct LeakSite {
  std::size_t blocks = 0;
  std::size_t bytes = 0;  // that were asked for, as far as that is known
  std::vector<void*>
      frames;  // return addresses, the innermost first; maybe none
};

// All of them, the one with the most bytes first. All threads but the caller must be
// outside of any call to the instance.
std::vector<LeakSite> FindLeaks(VisitBlocks visit_blocks);

// The same as text, empty where there are none: for each place a line with its blocks and
// bytes, and one for each frame with its address and, where the symbolizer knows it, its
// function. Functions that are not exported have names only after
// absl::InitializeSymbolizer(argv[0]).
std::string DescribeLeaks(VisitBlocks visit_blocks);

}  // namespace alcove

#endif  // ALCOVE_LEAKS_LEAKS_H_
