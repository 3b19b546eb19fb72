// What the system says about this process.
#ifndef TESTS_ISOLATION_PROCESS_H_
#define TESTS_ISOLATION_PROCESS_H_

#include <cstddef>
#include <cstdint>

namespace isolation {

// None of these allocates, so that two readings differ by what happened between
// them alone.

// The bytes of all mappings, and of those in memory.
size_t AddressSpace();
size_t ResidentBytes();

// How many mappings lie in [low, high), wholly or in part.
size_t CountMappings(uintptr_t low, uintptr_t high);

}  // namespace isolation

#endif  // TESTS_ISOLATION_PROCESS_H_
