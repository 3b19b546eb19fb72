// Who is in a range: each block that is live there, of the instance's own and of
// arenas.
#ifndef ALCOVE_CORE_ARENA_OCCUPANTS_H_
#define ALCOVE_CORE_ARENA_OCCUPANTS_H_

#include "core/arena/arenas.h"
#include "core/arena/survey.h"

namespace ALCOVE_CORE_NAMESPACE {

// Calls visit(block, usable size, context) for each, if `visit` is not null;
// returns how many there are. No thread is in a call.
size_t VisitOccupants(const Instance& instance, const Arenas& arenas,
                      const Range& range, BlockVisitor visit, void* context);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_ARENA_OCCUPANTS_H_
