// Whose the process's address space is: what the registry lists of all
// instances, laid over the mappings that the system lists.
#ifndef EXAMPLES_VERSIONS_ADDRESS_SPACE_H_
#define EXAMPLES_VERSIONS_ADDRESS_SPACE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace versions {

// Address space without a mapping that is worth to be mentioned.
inline constexpr uint64_t kLargeGap = uint64_t{1} << 30;

// What is one owner's, up to the next owner's or a large gap.
struct Piece {
  std::string owner;
  uintptr_t begin = 0;
  uintptr_t end = 0;
  uint64_t mapped = 0;      // bytes of it that are
  uint64_t accessible = 0;  // of these, that may be read or written
  uint64_t in_memory = 0;   // of these, that take memory
};

// All pieces in the order of their addresses. malloc's are those mappings that
// hold one of `mallocs`, blocks that are alive, and an instance's own data is in
// the mapping that describes its range: if the system has joined that with a
// neighbour, it counts in, and if the neighbour is such a mapping of another
// instance, the piece names both. No other thread may map or unmap meanwhile. Throws
// std::runtime_error if the system does not say.
std::vector<Piece> LookAtAddressSpace(const std::vector<const void*>& mallocs);

}  // namespace versions

#endif  // EXAMPLES_VERSIONS_ADDRESS_SPACE_H_
