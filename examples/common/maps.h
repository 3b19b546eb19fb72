// The process's address space, as the kernel tells it.
#ifndef EXAMPLES_COMMON_MAPS_H_
#define EXAMPLES_COMMON_MAPS_H_

#include <cstddef>
#include <cstdint>

namespace common {

// The size of all mappings in bytes, from /proc/self/statm. Allocates nothing,
// so that two readings differ by what happened between them and nothing else.
size_t AddressSpace();

// How many mappings of /proc/self/maps lie in [low, high), wholly or in part.
size_t CountMappings(uintptr_t low, uintptr_t high);

}  // namespace common

#endif  // EXAMPLES_COMMON_MAPS_H_
