// Looking over an arena: counts, and its live blocks one by one.
#ifndef ALCOVE_CORE_ARENA_SURVEY_H_
#define ALCOVE_CORE_ARENA_SURVEY_H_

#include "core/arena/arenas.h"

namespace ALCOVE_CORE_NAMESPACE {

// Exact while no thread is inside a call; else each number is one that was, or
// nearly was.
struct ArenaSnapshot {
  size_t threads = 0;
  size_t blocks_live = 0;
  size_t bytes_live = 0;
  size_t blocks_peak = 0;
  size_t bytes_peak = 0;
  size_t bytes_mapped = 0;
  size_t bytes_committed = 0;
  size_t bytes_donated = 0;
  size_t bytes_donated_used = 0;
};
ArenaSnapshot TakeSnapshot(const Arena& arena);

struct ClassSnapshot {
  size_t block_size = 0;  // 0: of different sizes
  size_t blocks_live = 0;
  size_t bytes_live = 0;
  size_t units = 0;
};

// Calls visit(ClassSnapshot) for the runs, for each slab class in ascending
// order, and for large blocks; where there are no units, not.
using ClassVisitor = void (*)(const ClassSnapshot&, void* context);
void VisitClasses(const Arena& arena, ClassVisitor visit, void* context);

// Calls visit(block, usable size, context) for each live block. Nobody may use
// the arena meanwhile. Returns how many.
using BlockVisitor = void (*)(void* block, size_t size, void* context);
size_t VisitBlocks(const Arena& arena, BlockVisitor visit, void* context);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_SURVEY_H_
