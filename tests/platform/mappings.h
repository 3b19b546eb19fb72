// Reads /proc/self/maps.
#ifndef ALCOVE_TESTS_PLATFORM_MAPPINGS_H_
#define ALCOVE_TESTS_PLATFORM_MAPPINGS_H_

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <algorithm>
#include <string>
#include <vector>

namespace alcove_tests {

struct Mapping {
  uintptr_t begin;
  uintptr_t end;
  std::string access;  // "rw-p"
};

inline std::vector<Mapping> ReadMappings() {
  std::vector<Mapping> mappings;
  FILE* const file = fopen("/proc/self/maps", "re");
  if (file == nullptr) return mappings;
  char line[4096];
  while (fgets(line, sizeof(line), file) != nullptr) {
    uintptr_t begin;
    uintptr_t end;
    char access[8];
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &begin, &end, access) ==
        3) {
      mappings.push_back({begin, end, access});
    }
  }
  fclose(file);
  return mappings;
}

// Those that overlap [address, address + size).
inline std::vector<Mapping> MappingsIn(const void* address, size_t size) {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  std::vector<Mapping> inside;
  for (const Mapping& mapping : ReadMappings()) {
    if (mapping.begin < begin + size && begin < mapping.end)
      inside.push_back(mapping);
  }
  return inside;
}

// How many bytes of [address, address + size) are mapped with this access, ""
// for any.
inline size_t MappedBytesIn(const void* address, size_t size,
                            const std::string& access = "") {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  size_t bytes = 0;
  for (const Mapping& mapping : MappingsIn(address, size)) {
    if (!access.empty() && mapping.access != access) continue;
    bytes +=
        std::min(mapping.end, begin + size) - std::max(mapping.begin, begin);
  }
  return bytes;
}

}  // namespace alcove_tests

#endif  // ALCOVE_TESTS_PLATFORM_MAPPINGS_H_
