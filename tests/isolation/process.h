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

struct Mapping {
  uintptr_t begin;
  uintptr_t end;
  char access[5];  // "rw-p"
  bool has_name;   // a file's, [heap], [stack]

  bool operator==(const Mapping& other) const;
};

// Writes the mappings to `to`, in the order of addresses, and returns how many
// there are. Aborts if there are more than `capacity`.
size_t ReadMappings(Mapping* to, size_t capacity);

// How many pthread keys the process can still make.
size_t KeysLeft();

}  // namespace isolation

#endif  // TESTS_ISOLATION_PROCESS_H_
