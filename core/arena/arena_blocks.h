// What is asked of a block of an arena by its address alone.
#ifndef ALCOVE_CORE_ARENA_ARENA_BLOCKS_H_
#define ALCOVE_CORE_ARENA_ARENA_BLOCKS_H_

#include "core/arena/arenas.h"

namespace ALCOVE_CORE_NAMESPACE {

// What is done to a block, for the words of a stop if it is none.
enum class BlockUse { kFree, kOther };

// A live block of an arena: what it is and where.
struct ArenaBlock {
  Arena* arena;
  Range* range;
  Slab* slab;        // of a slab, a run or a large block
  BlockPlace place;  // in a slab
  size_t size;       // usable; of a block in a run only if asked for
};

// Finds the block at `address`, in a unit of `range` with this entry, of
// kArenaClass; stops if none begins there.
ArenaBlock FindArenaBlock(const Arenas& arenas, Range* range,
                          const void* address, MapEntry entry, BlockUse use);

// The live block that holds an address in one of an arena's units, and the arena's
// number; false if there is none.
bool FindArenaBlockHolding(const Arenas& arenas, Range* range,
                           const void* address, uintptr_t* begin,
                           uintptr_t* end, uint64_t* arena);

// Its usable size.
size_t ArenaBlockSize(const ArenaBlock& block, const void* address);

// Frees it; `home` is the calling thread's heap, or null.
void FreeArenaBlock(Heap* home, const ArenaBlock& block, void* address);

// Makes it as long as `size` asks where it is, or as near to that as it can be cut.
// False if it does not grow so far; then it is as it was. `home` is the calling
// thread's heap. *crossed: what callbacks are due (Arenas::CallBack).
bool ResizeArenaBlockInPlace(Arenas* arenas, Heap* home,
                             const ArenaBlock& block, void* address,
                             size_t size, uint64_t* crossed);

// Resizes it within its arena. Null if that is not to be had, and the block is
// as it was. *crossed: what callbacks are due (Arenas::CallBack).
void* ReallocateArenaBlock(Arenas* arenas, Heap* home, const ArenaBlock& block,
                           void* address, size_t size, uint64_t* crossed);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_ARENA_BLOCKS_H_
