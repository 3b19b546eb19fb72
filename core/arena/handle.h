// The name by which callers know an arena.
#ifndef ALCOVE_CORE_ARENA_HANDLE_H_
#define ALCOVE_CORE_ARENA_HANDLE_H_

#include "core/base/config.h"

namespace ALCOVE_CORE_NAMESPACE {

// A place in the instance's table of arenas, and above it the arena's number:
// no two arenas ever have the same. 0 is none.
using ArenaHandle = uint64_t;
inline constexpr unsigned kArenaPlaceBits = 16;
inline constexpr unsigned kArenasMax = (1u << kArenaPlaceBits) - 1;
// How many the table has places for. Without system memory it and the graves have
// one unit.
inline constexpr unsigned kPlacesMax =
    Config::kSystemMemory ? kArenasMax : 6000;
constexpr ArenaHandle MakeHandle(uint64_t number, unsigned place) {
  return number << kArenaPlaceBits | place;
}
constexpr unsigned PlaceOfHandle(ArenaHandle handle) {
  return handle & kArenasMax;
}

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_HANDLE_H_
