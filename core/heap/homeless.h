// Frees by a thread that has no heap and can get none, for want of memory: a
// block goes straight back to its slab as another thread's would, a large one
// straight to the region. Slower, and never refused.
#ifndef ALCOVE_CORE_HEAP_HOMELESS_H_
#define ALCOVE_CORE_HEAP_HOMELESS_H_

#include "core/heap/instance.h"

namespace ALCOVE_CORE_NAMESPACE {

// `block` lies in a unit of `range` whose entry is of a slab or a large block.
void FreeHomeless(Instance* instance, const Range& range, void* block,
                  MapEntry entry);

}  // namespace ALCOVE_CORE_NAMESPACE

#endif  // ALCOVE_CORE_HEAP_HOMELESS_H_
