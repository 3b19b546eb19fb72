// What the system says about this process.
#ifndef TESTS_ISOLATION_PROCESS_H_
#define TESTS_ISOLATION_PROCESS_H_

#include <cstddef>
#include <cstdint>

namespace isolation {

// None of these functions allocates, so that two readings differ by what happened
// between them alone.

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

// Holds 32 KB of glibc's malloc, which has them to spare afterwards, and from now
// on gives nothing back to the system. For what goes before the first of two
// readings between which the loader or the test allocate: how much malloc has left
// of what it last took is chance, and where that is next to nothing, one block
// more is another 132 KB of address space.
class MallocRoom {
 public:
  MallocRoom();
  MallocRoom(const MallocRoom&) = delete;
  MallocRoom& operator=(const MallocRoom&) = delete;
  ~MallocRoom();

 private:
  void* const block_;
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_PROCESS_H_
